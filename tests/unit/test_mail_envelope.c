/* What is told of a submitted message before it is taken. */
#define _GNU_SOURCE
#include "outbox_world.h"

#include "base/buffer.h"
#include "mail/header.h"

static const struct outbox_edit as_it_stands = {0};

/* --- inspecting --- */

static struct outbox_envelope inspect_text(struct outbox_world *it, const char *text)
{
    char id[OUTBOX_ID_SIZE];
    submit(it, text, id);
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    return envelope;
}

static void assert_problem(struct outbox_world *it, const char *text, const char *problem)
{
    struct outbox_envelope envelope = inspect_text(it, text);
    if (problem == NULL) {
        assert_null(envelope.problem);
    } else {
        assert_non_null(envelope.problem);
        assert_non_null(strstr(envelope.problem, problem));
    }
    outbox_envelope_release(&envelope);
}

static void the_envelope_is_what_the_header_says(void **state)
{
    struct outbox_world *it = *state;
    static const char text[] = "From: Anna <anna@contoso.com>\n"
                               "Sender: eve@contoso.com\n"
                               "To: bob@contoso.com,\n carl@contoso.com\n"
                               "Cc: dora@contoso.com\nTo: no address, x@contoso.com\n"
                               "Bcc: secret@contoso.com\n"
                               "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n"
                               "Message-ID:\n <1@contoso.com>\n\nFrom: body@contoso.com\n";
    struct outbox_envelope envelope = inspect_text(it, text);
    assert_null(envelope.problem);
    assert_int_equal(envelope.submitter, getuid());
    assert_int_equal(envelope.from.count, 1);
    assert_string_equal(envelope.from.addresses[0].address, "anna@contoso.com");
    assert_string_equal(envelope.from.addresses[0].name, "Anna");
    assert_string_equal(envelope.sender.addresses[0].address, "eve@contoso.com");
    assert_int_equal(envelope.to.count, 3);
    assert_int_equal(envelope.to.invalid, 1);
    assert_string_equal(envelope.to.addresses[1].address, "carl@contoso.com");
    assert_string_equal(envelope.cc.addresses[0].address, "dora@contoso.com");
    assert_string_equal(envelope.bcc.addresses[0].address, "secret@contoso.com");
    assert_string_equal(envelope.subject, "Gr\xc3\xbc\xc3\x9f"
                                          "e");
    assert_string_equal(envelope.message_id, "<1@contoso.com>");
    assert_false(envelope.null_sender);
    assert_int_equal(envelope.size, sizeof text - 1);
    outbox_envelope_release(&envelope);
}

static void the_owner_of_the_file_is_the_submitter_with_his_groups(void **state)
{
    struct outbox_world *it = *state;
    struct outbox_envelope envelope = inspect_text(it, "From: a@b\n\nx\n");
    assert_string_equal(envelope.submitter_name, getuid() == 0 ? "root" : envelope.submitter_name);
    assert_true(envelope.group_count >= 1);
    bool primary = false;
    for (size_t i = 0; i < envelope.group_count; i++)
        primary |= envelope.groups[i] == getgid();
    assert_true(primary);
    assert_string_equal(envelope.subject, "");
    assert_null(envelope.message_id);
    outbox_envelope_release(&envelope);
}

static void a_submitter_without_a_name_has_none(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    char path[1024];
    if (getuid() != 0)
        skip();
    world_put(it->world, "new", "message", "From: a@b\n\nx\n");
    snprintf(path, sizeof path, "%s/new/message", it->world->path);
    assert_int_equal(chown(path, 3999999, 3999999), 0);
    take_one(it, id);
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    assert_int_equal(envelope.submitter, 3999999);
    assert_null(envelope.submitter_name);
    assert_int_equal(envelope.group_count, 0);
    outbox_envelope_release(&envelope);
}

static void what_is_no_message_is_told_in_a_sentence(void **state)
{
    struct outbox_world *it = *state;
    assert_problem(it, "", "is empty");
    assert_problem(it, "hello\n", "does not begin with a header");
    assert_problem(it, "\nFrom: a@b\n\nx\n", "does not begin with a header");
    assert_problem(it, " folded: x\nFrom: a@b\n\nx\n", "does not begin with a header");
    assert_problem(it, "Subject: x\n\nFrom: a@b\n", "no From");
    assert_problem(it, "From: <>\n\nx\n", "no From");
    assert_problem(it, "From: a@b\nfrom: c@d\n\nx\n", "several From");
    assert_problem(it, "From: a@b", NULL);
    assert_problem(it, "From: a@b\nbroken line\nSubject: x\n\nx", NULL);
    assert_problem(it, "From joe Fri Feb 22 17:06:23 2008\nFrom: a@b\n\nx", NULL);
    assert_problem(it, "From : a@b\n\nx", NULL);
    assert_problem(it,
                   "\xef\xbb\xbf"
                   "From: a@b\n\nx",
                   NULL);
}

static void a_message_of_no_recipients_is_left_to_others(void **state)
{
    struct outbox_world *it = *state;
    struct outbox_envelope envelope =
        inspect_text(it, "From: a@b\nTo: undisclosed-recipients:;\n\nx\n");
    assert_null(envelope.problem);
    assert_int_equal(envelope.to.count, 0);
    assert_int_equal(envelope.to.invalid, 0);
    outbox_envelope_release(&envelope);
}

static void a_huge_header_is_refused_and_the_largest_is_not(void **state)
{
    struct outbox_world *it = *state;
    for (int over = 0; over <= 1; over++) {
        char id[OUTBOX_ID_SIZE];
        struct buffer text = {0};
        buffer_append_string(&text, "From: a@b\r\nX: ");
        while (text.length < (size_t)HEADER_SIZE_MAX - 4 + (size_t)over)
            buffer_append_char(&text, 'x');
        buffer_append_string(&text, "\r\n\r\nbody\r\n");
        put_bytes(it, "new", "huge", text.data, text.length);
        take_one(it, id);
        struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
        if (over)
            assert_non_null(strstr(envelope.problem, "larger than 256 KB"));
        else
            assert_null(envelope.problem);
        outbox_envelope_release(&envelope);
        settle(it->world, it->outbox, id);
        buffer_release(&text);
    }
}

static void null_bytes_are_refused_in_header_and_body(void **state)
{
    struct outbox_world *it = *state;
    static const char header[] = "From: a@b\nSubject: x\0y\n\nx\n";
    static const char start[] = "From: a@b\n\n";
    char id[OUTBOX_ID_SIZE];
    put_bytes(it, "new", "header", header, sizeof header - 1);
    take_one(it, id);
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    assert_non_null(strstr(envelope.problem, "NUL"));
    outbox_envelope_release(&envelope);
    settle(it->world, it->outbox, id);

    size_t length = 1000000;
    char *bytes = memory_allocate(length);
    memset(bytes, 'x', length);
    memcpy(bytes, start, sizeof start - 1);
    bytes[length - 1] = '\0';
    put_bytes(it, "new", "body", bytes, length);
    memory_free(bytes);
    take_one(it, id);
    envelope = inspect(it->world, it->outbox, id);
    assert_null(envelope.problem);
    outbox_envelope_release(&envelope);
    uint64_t size;
    struct failure failure = accept_it(it->world, it->outbox, id, &as_it_stands, &size);
    assert_int_equal(failure.scope, FAILURE_SCOPE_ITEM);
    assert_true(failure.permanent);
    assert_non_null(strstr(failure.sentence, "NUL"));
    assert_int_equal(world_count(it->world, "queue"), 0);
}

static void only_a_message_id_of_the_right_form_is_used(void **state)
{
    struct outbox_world *it = *state;
    static const char *const wrong[] = {"1@b",         "<1>",  "<1@b",    "<1 2@b>",
                                        "<a@b> <c@d>", "<1@>", "<@b>",    "<<1@b>",
                                        "<1\x01@b>",   "",     "<\xe9@b>"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "From: a@b\nMessage-ID: %s\n\nx\n", wrong[i]);
        struct outbox_envelope envelope = inspect_text(it, text);
        assert_null(envelope.message_id);
        outbox_envelope_release(&envelope);
    }
}

static void automatic_mail_has_nobody_to_tell(void **state)
{
    struct outbox_world *it = *state;
    static const struct {
        const char *field;
        bool null_sender;
    } cases[] = {
        {"Return-Path: <>", true},
        {"Return-Path: <a@b>", false},
        {"Auto-Submitted: auto-replied", true},
        {"Auto-Submitted: auto-generated; x=y", true},
        {"Auto-Submitted: no (really)", false},
        {"Auto-Submitted: NO", false},
        {"Content-Type: multipart/report; report-type=delivery-status", true},
        {"Content-Type: Multipart/Report", true},
        {"Content-Type: multipart/reports", false},
        {"X-Auto-Submitted: yes", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "From: a@b\n%s\n\nx\n", cases[i].field);
        struct outbox_envelope envelope = inspect_text(it, text);
        assert_int_equal(envelope.null_sender, cases[i].null_sender);
        outbox_envelope_release(&envelope);
    }
}

static void assert_recipients(struct outbox_world *it, const char *text, const char *expected)
{
    struct outbox_envelope envelope = inspect_text(it, text);
    const struct address_list *const lists[] = {&envelope.to, &envelope.cc, &envelope.bcc};
    struct buffer line = {0};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < lists[i]->count; j++)
            buffer_append_format(&line, "%s ", lists[i]->addresses[j].address);
        buffer_append_char(&line, '/');
    }
    assert_string_equal(line.data, expected);
    buffer_release(&line);
    outbox_envelope_release(&envelope);
}

static void the_most_recent_resent_block_names_the_recipients(void **state)
{
    struct outbox_world *it = *state;
    assert_recipients(it,
                      "Resent-From: a@b\nResent-To: new@c\nResent-Bcc: hidden@c\nReceived: x\n"
                      "Resent-To: old@c\nResent-Cc: older@c\nFrom: a@b\nTo: first@c\nCc: f@c\n\nx",
                      "new@c //hidden@c /");
    assert_recipients(it,
                      "Resent-To: new@c\nResent-From: a@b\nResent-From: c@d\nResent-To: old@c\n"
                      "From: a@b\nTo: first@c\n\nx",
                      "new@c ///");
    assert_recipients(it,
                      "Resent-From: a@b\nReceived: x\nResent-Cc: old@c\nFrom: a@b\nTo: t@c\n\nx",
                      "/old@c //");
    assert_recipients(it, "Resent-From: a@b\nFrom: a@b\nTo: first@c\n\nx", "first@c ///");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(the_envelope_is_what_the_header_says),
        with_an_outbox(the_owner_of_the_file_is_the_submitter_with_his_groups),
        with_an_outbox(a_submitter_without_a_name_has_none),
        with_an_outbox(what_is_no_message_is_told_in_a_sentence),
        with_an_outbox(a_message_of_no_recipients_is_left_to_others),
        with_an_outbox(a_huge_header_is_refused_and_the_largest_is_not),
        with_an_outbox(null_bytes_are_refused_in_header_and_body),
        with_an_outbox(only_a_message_id_of_the_right_form_is_used),
        with_an_outbox(automatic_mail_has_nobody_to_tell),
        with_an_outbox(the_most_recent_resent_block_names_the_recipients),
    };
    return cmocka_run_group_tests_name("mail: envelope", tests, NULL, NULL);
}
