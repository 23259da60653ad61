/* Who sends a submitted message, whether the submitter may, and in which words it is refused. */
#include "daemon/intake_decision.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROOT = 0, ANN = 1000, STRANGER = 1001, STAFF = 50 };

static const char *const id = "018f0000-0000-7000-8000-000000000001";

static const struct config_submitter submitters[] = {
    {.id = ROOT}, {.id = ANN}, {.is_group = true, .id = STAFF}};
static const struct config_mailbox_settings ours = {
    .outgoing = true, .submitters = submitters, .submitter_count = 3};
static const struct config_mailbox ann = {.address = "ann@example.com", .settings = &ours};
static const struct config_mailbox alerts = {.address = "alerts@example.com", .settings = &ours};
/* Of the configuration, but with outgoing = no. */
static const char *const silent = "silent@example.com";

struct fixture {
    struct config config;
    struct outbox_envelope envelope;
    struct intake_decision decision;
};

static bool find(void *argument, const char *address, struct store_mailbox *mailbox,
                 const struct config_mailbox **config)
{
    (void)argument;
    const struct config_mailbox *const all[] = {&ann, &alerts};
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(all[i]->address, address) != 0)
            continue;
        *mailbox = (struct store_mailbox){.number = (int64_t)i + 1, .lease = 1};
        *config = all[i];
        return true;
    }
    return false;
}

static int setup(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    fixture->envelope = (struct outbox_envelope){.submitter = ROOT, .size = 100};
    fixture->envelope.subject = memory_copy_string("");
    fixture->config.max_submission_size = 1000;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    intake_decision_release(&fixture->decision);
    outbox_envelope_release(&fixture->envelope);
    memory_free(fixture);
    return 0;
}

/* From and To as most messages have them. */
static void write_letter(struct fixture *fixture, const char *from)
{
    address_list_add(&fixture->envelope.from, from, NULL);
    address_list_add(&fixture->envelope.to, "bob@example.org", "Bob");
}

static void decide(struct fixture *fixture)
{
    const struct intake_owner owner = {.find = find};
    intake_decision_release(&fixture->decision);
    fixture->decision = (struct intake_decision){0};
    intake_decide(&fixture->decision, &owner, &fixture->config, &fixture->envelope, id);
    assert_int_equal(fixture->decision.taken, fixture->decision.reason.length == 0);
}

static void assert_taken_by(struct fixture *fixture, int64_t number)
{
    decide(fixture);
    if (!fixture->decision.taken)
        fail_msg("%s", buffer_string(&fixture->decision.reason));
    assert_int_equal(fixture->decision.mailbox.number, number);
}

/* With one sentence that has these words. */
static void assert_refused(struct fixture *fixture, const char *words)
{
    decide(fixture);
    const char *reason = buffer_string(&fixture->decision.reason);
    assert_false(fixture->decision.taken);
    if (strstr(reason, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, reason);
    assert_int_equal(reason[strlen(reason) - 1], '.');
    assert_null(strchr(reason, '\n'));
}

/* --- who sends --- */

static void from_decides_the_mailbox(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    address_list_add(&fixture->envelope.sender, "alerts@example.com", NULL);
    assert_taken_by(fixture, 1);
    assert_string_equal(buffer_string(&fixture->decision.from), "<ann@example.com>");
}

static void from_is_compared_without_case(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "Ann@Example.COM");
    assert_taken_by(fixture, 1);
    assert_string_equal(buffer_string(&fixture->decision.from), "<ann@example.com>");
}

static void of_several_from_none_sends(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "alerts@example.com");
    address_list_add(&fixture->envelope.from, "ann@example.com", NULL);
    assert_refused(fixture, "one address and nothing else");
}

/* Others may read the part that was not understood, and see another sender in it. */
static void a_from_with_something_beside_its_address_is_refused(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    fixture->envelope.from.invalid = 1;
    assert_refused(fixture, "one address and nothing else");
}

static void recipients_that_cannot_be_read_are_not_dropped_in_silence(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    fixture->envelope.cc.invalid = 1;
    assert_refused(fixture, "a part that is no address");
}

static void a_from_of_a_stranger_is_refused_and_named(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "eve@example.net");
    fixture->config.default_sender = "alerts@example.com"; /* for local senders alone */
    assert_refused(fixture, "From is eve@example.net, which is no mailbox");
}

static void a_message_without_from_is_refused(void **state)
{
    struct fixture *fixture = *state;
    address_list_add(&fixture->envelope.to, "bob@example.org", NULL);
    assert_refused(fixture, "no From");
}

/* --- local senders --- */

static void sender_map_gives_a_local_sender_a_mailbox(void **state)
{
    struct fixture *fixture = *state;
    static const struct config_mapping senders[] = {
        {.local = "www-data@web1", .address = "alerts@example.com"}};
    fixture->config.senders = senders;
    fixture->config.sender_count = 1;
    write_letter(fixture, "WWW-Data@web1");
    assert_taken_by(fixture, 2);
    assert_string_equal(buffer_string(&fixture->decision.from),
                        "\"WWW-Data@web1\" <alerts@example.com>");
}

static void default_sender_is_for_whoever_is_of_this_machine(void **state)
{
    struct fixture *fixture = *state;
    char host[256] = {0}, from[300];
    gethostname(host, sizeof host - 1);
    snprintf(from, sizeof from, "root@%s", host);
    const char *const local[] = {"root", "ROOT", "root@localhost", from};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        address_list_release(&fixture->envelope.from);
        address_list_release(&fixture->envelope.to);
        write_letter(fixture, local[i]);
        fixture->config.default_sender = NULL;
        char wanted[400];
        snprintf(wanted, sizeof wanted,
                 "; sender_map = %s: MAILBOX in section [exsyncd] lets that mailbox send for it.",
                 local[i]);
        assert_refused(fixture, "neither sender_map nor default_sender");
        assert_refused(fixture, wanted);
        fixture->config.default_sender = "alerts@example.com";
        assert_taken_by(fixture, 2);
    }
}

static void the_name_in_from_is_kept_and_quoted(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.default_sender = "alerts@example.com";
    address_list_add(&fixture->envelope.from, "root", "Cron \"the\" \\ Daemon");
    address_list_add(&fixture->envelope.to, "bob@example.org", NULL);
    assert_taken_by(fixture, 2);
    assert_string_equal(buffer_string(&fixture->decision.from),
                        "\"Cron \\\"the\\\" \\\\ Daemon\" <alerts@example.com>");
}

static void a_mailbox_that_does_not_send_sends_for_nobody(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.default_sender = silent;
    write_letter(fixture, "root");
    assert_refused(fixture, "for which silent@example.com would send, but outgoing is off there");
}

static void a_mailbox_that_only_receives_is_told_where_to_let_it_send(void **state)
{
    struct fixture *fixture = *state;
    static struct config_mailbox mailboxes[] = {{.address = "silent@example.com"}};
    fixture->config.mailboxes = mailboxes;
    fixture->config.mailbox_count = 1;
    write_letter(fixture, "Silent@example.com");
    assert_refused(fixture, "whose section [mailbox silent@example.com] has no outgoing = yes; "
                            "write it there to let it send.");
}

/* --- local recipients --- */

static void recipient_map_gives_local_recipients_an_address(void **state)
{
    struct fixture *fixture = *state;
    static const struct config_mapping recipients[] = {
        {.local = "root", .address = "admin@example.org"},
        {.local = "*", .address = "desk@example.org"}};
    fixture->config.recipients = recipients;
    fixture->config.recipient_count = 2;
    write_letter(fixture, "ann@example.com");
    address_list_add(&fixture->envelope.cc, "Root", "Charlie Root");
    address_list_add(&fixture->envelope.bcc, "backup@localhost", NULL);
    assert_taken_by(fixture, 1);
    assert_string_equal(buffer_string(&fixture->decision.recipients),
                        "to bob@example.org Bob\ncc admin@example.org Charlie Root\n"
                        "bcc desk@example.org ");
}

static void a_local_recipient_without_an_address_is_refused_with_the_key(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    address_list_add(&fixture->envelope.cc, "root", NULL);
    assert_refused(fixture, "Its recipient root has no domain, and recipient_map gives it no "
                            "address; recipient_map = root: ADDRESS in section [exsyncd] does.");
}

/* --- submitters --- */

static void submitters_may_send_and_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    gid_t groups[] = {7, STAFF};
    write_letter(fixture, "ann@example.com");
    fixture->envelope.submitter = ANN;
    assert_taken_by(fixture, 1);

    fixture->envelope.submitter = STRANGER;
    assert_refused(fixture, "The user without a name (1001) may not send as ann@example.com");
    fixture->envelope.submitter_name = memory_copy_string("eve");
    assert_refused(fixture, "The user eve (1001) may not send as ann@example.com; add the user to "
                            "submitters of [mailbox ann@example.com].");

    fixture->envelope.groups = memory_allocate_array(2, sizeof *groups);
    memcpy(fixture->envelope.groups, groups, sizeof groups);
    fixture->envelope.group_count = 1; /* not the one */
    assert_refused(fixture, "may not send as");
    fixture->envelope.group_count = 2;
    assert_taken_by(fixture, 1);
}

/* Not those who may send as default_sender because they may send as somebody. */
static void who_is_mapped_must_be_a_submitter_of_that_mailbox(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.default_sender = "alerts@example.com";
    fixture->envelope.submitter = STRANGER;
    write_letter(fixture, "eve");
    assert_refused(fixture, "may not send as alerts@example.com");
}

/* --- recipients --- */

static void recipients_go_with_their_kinds_and_names(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    address_list_add(&fixture->envelope.to, "carol@example.org", NULL);
    address_list_add(&fixture->envelope.cc, "dan@example.org", "Dan D\xc3\xbcrr");
    address_list_add(&fixture->envelope.bcc, "eve@example.org", NULL);
    assert_taken_by(fixture, 1);
    assert_string_equal(buffer_string(&fixture->decision.recipients),
                        "to bob@example.org Bob\nto carol@example.org \n"
                        "cc dan@example.org Dan D\xc3\xbcrr\nbcc eve@example.org ");
}

static void bcc_alone_is_enough(void **state)
{
    struct fixture *fixture = *state;
    address_list_add(&fixture->envelope.from, "ann@example.com", NULL);
    address_list_add(&fixture->envelope.bcc, "eve@example.org", NULL);
    assert_taken_by(fixture, 1);
    assert_string_equal(buffer_string(&fixture->decision.recipients), "bcc eve@example.org ");
}

static void without_a_recipient_it_is_refused(void **state)
{
    struct fixture *fixture = *state;
    address_list_add(&fixture->envelope.from, "ann@example.com", NULL);
    assert_refused(fixture, "no recipient");
    address_list_add(&fixture->envelope.to, "root", NULL);
    assert_refused(fixture, "root");
}

/* Sent to the others it would be lost to this one, and nobody would know. */
static void a_recipient_that_cannot_be_reached_is_not_left_out_in_silence(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    address_list_add(&fixture->envelope.cc, "root", NULL);
    assert_refused(fixture, "root");
    address_list_release(&fixture->envelope.cc);
    address_list_add(&fixture->envelope.bcc, "\"john doe\"@example.org", NULL);
    assert_refused(fixture, "\"john doe\"@example.org");
    address_list_release(&fixture->envelope.bcc);
    assert_taken_by(fixture, 1);
}

/* --- the message itself --- */

static void a_problem_of_the_message_is_the_reason(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    fixture->envelope.problem = "It has no header.";
    assert_refused(fixture, "It has no header.");
}

static void a_message_that_is_too_large_is_refused_and_its_size_told(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    fixture->envelope.size = 1000;
    assert_taken_by(fixture, 1);
    fixture->envelope.size = 1001;
    assert_refused(fixture, "It has 1001 bytes; max_submission_size is 1000.");
    fixture->config.max_submission_size = 0;
    assert_taken_by(fixture, 1);
}

static void a_message_id_is_made_when_there_is_none(void **state)
{
    struct fixture *fixture = *state;
    write_letter(fixture, "ann@example.com");
    assert_taken_by(fixture, 1);
    assert_string_equal(buffer_string(&fixture->decision.message_id),
                        "<018f0000-0000-7000-8000-000000000001@example.com>");
    fixture->envelope.message_id = memory_copy_string("<a@b>");
    assert_taken_by(fixture, 1);
    assert_int_equal(fixture->decision.message_id.length, 0);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_decides_the_mailbox),
        TEST(from_is_compared_without_case),
        TEST(of_several_from_none_sends),
        TEST(a_from_with_something_beside_its_address_is_refused),
        TEST(recipients_that_cannot_be_read_are_not_dropped_in_silence),
        TEST(a_from_of_a_stranger_is_refused_and_named),
        TEST(a_message_without_from_is_refused),
        TEST(sender_map_gives_a_local_sender_a_mailbox),
        TEST(default_sender_is_for_whoever_is_of_this_machine),
        TEST(recipient_map_gives_local_recipients_an_address),
        TEST(a_local_recipient_without_an_address_is_refused_with_the_key),
        TEST(the_name_in_from_is_kept_and_quoted),
        TEST(a_mailbox_that_does_not_send_sends_for_nobody),
        TEST(a_mailbox_that_only_receives_is_told_where_to_let_it_send),
        TEST(submitters_may_send_and_nobody_else),
        TEST(who_is_mapped_must_be_a_submitter_of_that_mailbox),
        TEST(recipients_go_with_their_kinds_and_names),
        TEST(bcc_alone_is_enough),
        TEST(without_a_recipient_it_is_refused),
        TEST(a_recipient_that_cannot_be_reached_is_not_left_out_in_silence),
        TEST(a_problem_of_the_message_is_the_reason),
        TEST(a_message_that_is_too_large_is_refused_and_its_size_told),
        TEST(a_message_id_is_made_when_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
