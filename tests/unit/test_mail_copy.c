/* The copy of a submitted message that goes out. */
#define _GNU_SOURCE
#include "outbox_world.h"

#include "base/buffer.h"
#include "mail/header.h"

static const struct outbox_edit as_it_stands = {0};

static const struct outbox_edit named = {.message_id = "<made@exsync>"};

/* --- accepting --- */

static void assert_copy(struct outbox_world *it, const char *text, const struct outbox_edit *edit,
                        const char *expected)
{
    char id[OUTBOX_ID_SIZE];
    uint64_t size;
    submit(it, text, id);
    struct failure failure = accept_it(it->world, it->outbox, id, edit, &size);
    assert_string_equal(failure.text, "");
    char *copy = read_queue(it, id, NULL);
    assert_non_null(copy);
    assert_string_equal(copy, expected);
    assert_int_equal(size, strlen(expected));
    memory_free(copy);
    settle(it->world, it->outbox, id);
    remove_it(it->world, it->outbox, id);
    assert_int_equal(world_count(it->world, "queue"), 0);
    assert_int_equal(world_count(it->world, "intake"), 0);
}

static void every_line_of_the_copy_ends_in_crlf(void **state)
{
    struct outbox_world *it = *state;
    assert_copy(it, "From: a@b\nMessage-ID: <1@b>\n" DATE "\nx\ry\r\nz\n\r", &named,
                "From: a@b\r\n" ID DATE "\r\nx\r\ny\r\nz\r\n\r\n");
    assert_copy(it, "From: a@b\r\n" ID DATE "\r\nno newline", &named,
                "From: a@b\r\n" ID DATE "\r\nno newline\r\n");
    assert_copy(it, "From: a@b\r\n" ID DATE, &named, "From: a@b\r\n" ID DATE "\r\n");
}

static void a_field_behind_a_lone_cr_is_a_field(void **state)
{
    struct outbox_world *it = *state;
    assert_copy(it, "From: a@b\rBcc: secret@c\r" ID DATE "\nx\n", &named,
                "From: a@b\r\n" ID DATE "\r\nx\r\n");
}

static void fields_that_nobody_is_to_see_are_left_out(void **state)
{
    struct outbox_world *it = *state;
    assert_copy(it,
                "Return-Path: <a@b>\nFrom: a@b\nbcc: x@c,\n y@c\nBcc : z@c\nbroken\n folded\n"
                "Resent-Bcc: r@c\nTo: t@c\n" ID DATE "\nBcc: body\n",
                &named, "From: a@b\r\nTo: t@c\r\n" ID DATE "\r\nBcc: body\r\n");
}

static void what_is_missing_is_added_and_what_is_there_stays(void **state)
{
    struct outbox_world *it = *state;
    assert_copy(it, "From: a@b\n" DATE "\nx\n", &named,
                "From: a@b\r\n" DATE "Message-ID: <made@exsync>\r\n\r\nx\r\n");
    assert_copy(it,
                "From: a@b\nMessage-ID: junk\nmessage-id: <1@b>\nMessage-ID: <2@b>\n" DATE "\nx",
                &named, "From: a@b\r\nmessage-id: <1@b>\r\n" DATE "\r\nx\r\n");
    assert_copy(it, "From: a@b\n" ID DATE "\nx\n", &as_it_stands,
                "From: a@b\r\n" ID DATE "\r\nx\r\n");
}

static void a_missing_date_is_when_the_file_was_written(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    char path[1024];
    uint64_t size;
    submit(it, "From: a@b\n\nx\n", id);
    snprintf(path, sizeof path, "%s/intake/%s", it->world->path, id);
    struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    accept_it(it->world, it->outbox, id, &named, &size);
    char *copy = read_queue(it, id, NULL);
    assert_non_null(strstr(copy, "\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\n"));
    memory_free(copy);
    times[1].tv_sec = INT32_MAX; /* of the future */
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    accept_it(it->world, it->outbox, id, &named, &size);
    copy = read_queue(it, id, NULL);
    assert_non_null(strstr(copy, "\r\nDate: "));
    assert_null(strstr(copy, " 2038 "));
    memory_free(copy);
}

static void another_from_replaces_the_field(void **state)
{
    struct outbox_world *it = *state;
    struct outbox_edit edit = {.from = "Cron <cron@contoso.com>", .message_id = "<made@exsync>"};
    assert_copy(it, "X: y\nFrom: root\n (folded)\nTo: t@c\n" ID DATE "\nx\n", &edit,
                "X: y\r\nFrom: Cron <cron@contoso.com>\r\nTo: t@c\r\n" ID DATE "\r\nx\r\n");
    assert_copy(it, "To: t@c\n" ID DATE "\nx\n", &edit,
                "To: t@c\r\n" ID DATE "From: Cron <cron@contoso.com>\r\n\r\nx\r\n");
}

static void the_mbox_line_and_the_mark_of_utf8_are_dropped(void **state)
{
    struct outbox_world *it = *state;
    assert_copy(it, "From joe  Fri Feb 22 17:06:23 2008\r\nFrom: a@b\n" ID DATE "\nFrom here\n",
                &named, "From: a@b\r\n" ID DATE "\r\nFrom here\r\n");
    assert_copy(it,
                "\xef\xbb\xbf"
                "From: a@b\n" ID DATE "\nx\n",
                &named, "From: a@b\r\n" ID DATE "\r\nx\r\n");
}

/* Borders of blocks at every kind of place, CRLF among them; lines longer than 998, and 8 bits. */
static void large_messages_are_copied_whole(void **state)
{
    struct outbox_world *it = *state;
    static const char header[] = "From: a@b\r\n" ID DATE "\r\n";
    static const size_t sizes[] = {65535, 65536, 65537, 131072, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char id[OUTBOX_ID_SIZE];
        uint64_t size;
        struct buffer text = {0};
        buffer_append_string(&text, header);
        while (text.length < sizes[i] - 2)
            buffer_append_char(&text, text.length % 4999 > 3000 ? 'y' : (char)0xe4);
        buffer_append_string(&text, "\r\n");
        put_bytes(it, "new", "large", text.data, text.length);
        take_one(it, id);
        struct failure failure = accept_it(it->world, it->outbox, id, &named, &size);
        assert_string_equal(failure.text, "");
        size_t length = 0;
        char *copy = read_queue(it, id, &length);
        assert_non_null(copy);
        assert_int_equal(length, text.length);
        assert_memory_equal(copy, text.data, length);
        assert_int_equal(size, length);
        memory_free(copy);
        buffer_release(&text);
        settle(it->world, it->outbox, id);
    }
}

static void a_copy_that_a_crash_has_left_is_made_again(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    char name[OUTBOX_ID_SIZE + 8];
    uint64_t size;
    submit(it, "From: a@b\n" ID DATE "\nx\n", id);
    snprintf(name, sizeof name, "%s.eml", id);
    world_put(it->world, "queue", name,
              "half of something that was longer than it is now, "
              "so that a file that is not cut shows it");
    struct failure failure = accept_it(it->world, it->outbox, id, &named, &size);
    assert_string_equal(failure.text, "");
    char *copy = read_queue(it, id, NULL);
    assert_string_equal(copy, "From: a@b\r\n" ID DATE "\r\nx\r\n");
    memory_free(copy);
}

/* --- the corpus --- */

/* The body begins behind the first empty line; all of the corpus is CRLF. */
static const char *body_of(const char *bytes, size_t length, size_t *body_length)
{
    size_t header = header_end(bytes, length, true);
    *body_length = length - header;
    return bytes + header;
}

/* Two have no From, and one has two @ in it. */
static bool has_no_from_address(const char *name)
{
    return strcmp(name, "delivery-status2.eml") == 0 ||
           strcmp(name, "multipart-related-mhtml.eml") == 0 || strcmp(name, "torture-06.eml") == 0;
}

static void assert_real_message(struct outbox_world *it, const char *name)
{
    char id[OUTBOX_ID_SIZE];
    struct world data = {0};
    snprintf(data.path, sizeof data.path, "tests/data");
    size_t length = 0;
    char *original = world_read(&data, "mail", name, &length);
    assert_non_null(original);
    put_bytes(it, "new", "message", original, length);
    take_one(it, id);
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    bool from = !has_no_from_address(name);
    if (from)
        assert_null(envelope.problem);
    else
        assert_string_equal(envelope.problem, "It has no From address.");
    assert_int_equal(envelope.from.count, from ? 1 : 0);
    /* "stack-overflow" has thousands of encoded words where an address should be. */
    size_t invalid = strcmp(name, "stack-overflow.eml") == 0 ? 1 : 0;
    if (from)
        assert_int_equal(envelope.from.invalid + envelope.to.invalid + envelope.cc.invalid,
                         invalid);

    struct outbox_edit edit = {.from = from ? NULL : "a@b", .message_id = "<made@exsync>"};
    uint64_t size;
    assert_string_equal(accept_it(it->world, it->outbox, id, &edit, &size).text, "");
    size_t copied = 0;
    char *copy = read_queue(it, id, &copied);
    assert_non_null(copy);
    size_t right_length;
    size_t copy_length;
    const char *right = body_of(original, length, &right_length);
    const char *body = body_of(copy, copied, &copy_length);
    bool newline = right_length > 0 && right[right_length - 1] != '\n';
    assert_int_equal(copy_length, right_length + (newline ? 2 : 0));
    assert_memory_equal(body, right, right_length);

    /* Each field of the original is in the copy as it was, but for those that are to go. */
    struct header_field field;
    size_t offset = 0;
    while (header_next(original, length - right_length, &offset, &field)) {
        bool goes = field.name_length == 0 || header_field_is(&field, "Bcc") ||
                    header_field_is(&field, "Return-Path") ||
                    (!from && header_field_is(&field, "From")) ||
                    (envelope.message_id == NULL && header_field_is(&field, "Message-ID"));
        bool found = memmem(copy, copied, field.start, field.length) != NULL;
        if (!found && !goes)
            fail_msg("%s: %.*s", name, (int)field.length, field.start);
    }
    memory_free(copy);
    memory_free(original);
    outbox_envelope_release(&envelope);
    settle(it->world, it->outbox, id);
}

static void real_messages_are_taken_as_they_are(void **state)
{
    struct outbox_world *it = *state;
    DIR *corpus = opendir("tests/data/mail");
    assert_non_null(corpus);
    unsigned count = 0;
    for (struct dirent *entry = readdir(corpus); entry != NULL; entry = readdir(corpus)) {
        if (entry->d_name[0] == '.')
            continue;
        assert_real_message(it, entry->d_name);
        count++;
    }
    closedir(corpus);
    assert_int_equal(count, 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(every_line_of_the_copy_ends_in_crlf),
        with_an_outbox(a_field_behind_a_lone_cr_is_a_field),
        with_an_outbox(fields_that_nobody_is_to_see_are_left_out),
        with_an_outbox(what_is_missing_is_added_and_what_is_there_stays),
        with_an_outbox(a_missing_date_is_when_the_file_was_written),
        with_an_outbox(another_from_replaces_the_field),
        with_an_outbox(the_mbox_line_and_the_mark_of_utf8_are_dropped),
        with_an_outbox(large_messages_are_copied_whole),
        with_an_outbox(a_copy_that_a_crash_has_left_is_made_again),
        with_an_outbox(real_messages_are_taken_as_they_are),
    };
    return cmocka_run_group_tests_name("mail: outgoing copies", tests, NULL, NULL);
}
