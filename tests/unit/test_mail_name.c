#include "base/memory.h"
#include "mail/maildir_name.h"
#include "mail/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char instance[] = "0123456789ab";

static void a_host_name_is_made_fit_for_a_file_name(void **state)
{
    (void)state;
    char host[MAILDIR_HOST_SIZE];
    maildir_host("mail.example.com", host);
    assert_string_equal(host, "mail.example.com");
    maildir_host("a/b:c,d e\n\\", host);
    assert_string_equal(host, "a\\057b\\072c\\054d\\040e\\012\\134");
    maildir_host("", host);
    assert_string_equal(host, "localhost");
    char slashes[300];
    memset(slashes, '/', sizeof slashes - 1);
    slashes[sizeof slashes - 1] = '\0';
    maildir_host(slashes, host);
    assert_int_equal(strlen(host), 60);
    assert_string_equal(host + 56, "\\057");
}

static void a_name_is_recognised_as_ours(void **state)
{
    (void)state;
    uint64_t owner = UINT64_MAX;
    uint64_t other = 7;
    char host[MAILDIR_HOST_SIZE];
    maildir_host("////////////////////////////////////////////////////////////////", host);
    char *spool = maildir_name_create(instance, owner, NULL, host);
    char *name = maildir_name_with_size(spool, UINT64_MAX);
    assert_true(strlen(name) < SINK_NAME_SIZE);
    assert_int_equal(maildir_name_spool_length(name), strlen(spool));
    assert_int_equal(maildir_name_spool_length(spool), strlen(spool));
    assert_memory_equal(name, spool, strlen(spool));
    const char *const both[] = {spool, name};
    for (size_t i = 0; i < 2; i++) {
        assert_true(maildir_name_is_ours(both[i], instance, &owner));
        assert_true(maildir_name_is_ours(both[i], instance, NULL));
        assert_false(maildir_name_is_ours(both[i], instance, &other));
        assert_false(maildir_name_is_ours(both[i], "0123456789ac", &owner));
    }
    memory_free(spool);
    memory_free(name);
}

static void a_name_has_the_number_under_which_its_file_is_found(void **state)
{
    (void)state;
    static const char *const ours[] = {
        "1700000000.0123456789abb12r00000000000000ff.host,S=5",
        "1700000000.0123456789abb12r00000000000000ff.host,S=5:2,RS",
        "1700000000.0123456789abb12r00000000000000ff.host",
    };
    static const char *const others[] = {"", "1700000000.M1P2.host", "a.eml",
                                         "1700000000.0123456789abb12r00000000000000ff"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(maildir_name_number(ours[i]), 255);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(maildir_name_number(others[i]), 0);
    char *name = maildir_name_create(instance, 1, NULL, "host");
    assert_true(maildir_name_number(name) != 0);
    memory_free(name);
}

static void two_names_are_never_the_same(void **state)
{
    (void)state;
    char *one = maildir_name_create(instance, 1, NULL, "host");
    char *other = maildir_name_create(instance, 1, NULL, "host");
    assert_string_not_equal(one, other);
    memory_free(one);
    memory_free(other);
}

static void names_of_others_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        ".",
        "..",
        ".exsyncd",
        "1700000000.0123456789abb1r0123456789abcdef.",
        "1700000000.0123456789abb1r0123456789abcdef",
        "1700000000.0123456789abb1r0123456789abcde.host",
        "1700000000.0123456789abb1r0123456789abcdefa.host",
        "1700000000.0123456789abb1r0123456789ABCDEF.host",
        "1700000000.0123456789abbr0123456789abcdef.host",
        "1700000000.0123456789ab1r0123456789abcdef.host",
        "x1700000000.0123456789abb1r0123456789abcdef.host",
        ".0123456789abb1r0123456789abcdef.host",
        "../1700000000.0123456789abb1r0123456789abcdef.host",
        "1700000000.0123456789abb1r0123456789abcdef.host/../../x",
        "1700000000.0123456789abb1r0123456789abcdef./etc/passwd",
        "1700000000.0123456789abb1r0123456789abcdef.host,S=",
        "1700000000.0123456789abb1r0123456789abcdef.host,S=1x",
        "1700000000.0123456789abb1r0123456789abcdef.host,S=1/x",
        "1700000000.0123456789abb1r0123456789abcdef.host,S=1,S=2",
        "1700000000.0123456789abb1r0123456789abcdef.host,W=1",
        "1700000000.0123456789abb1r0123456789abcdef.host:2,S",
        "1700000000.V0123456789abM1.host",
    };
    assert_true(maildir_name_is_ours("1700000000.0123456789abb1r0123456789abcdef.host,S=12",
                                     instance, NULL));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_false(maildir_name_is_ours(names[i], instance, NULL));
    char name[SINK_NAME_SIZE + 1];
    memset(name, 'h', sizeof name - 1);
    memcpy(name, "1700000000.0123456789abb1r0123456789abcdef.", 43);
    name[SINK_NAME_SIZE] = '\0';
    assert_false(maildir_name_is_ours(name, instance, NULL));
    name[SINK_NAME_SIZE - 1] = '\0';
    assert_true(maildir_name_is_ours(name, instance, NULL));
}

static void a_name_tells_of_which_message_its_file_is(void **state)
{
    (void)state;
    const struct maildir_mark marks[] = {{.is_fingerprint = true, .digest = {{0xab, 0, 0xcd}}},
                                         {.digest = {{1, 2, 3}}}};
    char host[MAILDIR_HOST_SIZE];
    maildir_host("////////////////////////////////////////////////////////////////", host);
    for (size_t i = 0; i < 2; i++) {
        uint64_t owner = i == 0 ? UINT64_MAX : 12;
        char *spool = maildir_name_create(instance, owner, &marks[i], host);
        char *name = maildir_name_with_size(spool, UINT64_MAX);
        char consumed[300];
        struct maildir_name parts;
        assert_true(strlen(name) < SINK_NAME_SIZE);
        assert_true(maildir_name_is_ours(name, instance, &owner));
        assert_true(maildir_name_is_ours(spool, instance, &owner));
        snprintf(consumed, sizeof consumed, "%s:2,FRS", name);
        assert_true(maildir_name_read(consumed, instance, &parts));
        assert_true(maildir_name_read(name, instance, &parts));
        assert_int_equal(parts.owner, owner);
        assert_true(parts.seconds > 1700000000);
        assert_int_equal(parts.number, maildir_name_number(consumed));
        assert_int_equal(parts.mark.is_fingerprint, marks[i].is_fingerprint);
        assert_memory_equal(&parts.mark.digest, &marks[i].digest, DIGEST_SIZE);
        assert_false(maildir_name_read(name, "0123456789ac", &parts));
        memory_free(spool);
        memory_free(name);
    }
}

static void names_without_a_mark_tell_of_no_message(void **state)
{
    (void)state;
    static const char *const names[] = {
        "1700000000.0123456789abb12r00000000000000ff.host,S=5",
        "1700000000.0123456789abb12r00000000000000ffm0011.host,S=5",
        "1700000000.0123456789abb12r00000000000000ffx00112233445566778899aabbccddeeff.host,S=5",
        "1700000000.0123456789abb12r00000000000000ffm00112233445566778899aabbccddeeffff.host,S=5",
        "1700000000.0123456789abb12r00000000000000ffm00112233445566778899AABBCCDDEEFF.host,S=5",
        "1700000000.M1P1.host",
        /* Nobody was at work then, and in milliseconds there is no such time. */
        "9223372036854775.0123456789abb12r00000000000000ffm00112233445566778899aabbccddeeff.host",
        "99999999999999999999.0123456789abb12r00000000000000ffm00112233445566778899aabbccddeeff.h",
    };
    struct maildir_name parts;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(maildir_name_read(names[i], instance, &parts));
    assert_int_equal(maildir_name_number(names[1]), 0);
    assert_false(maildir_name_is_ours(names[2], instance, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_name_is_made_fit_for_a_file_name),
        cmocka_unit_test(a_name_is_recognised_as_ours),
        cmocka_unit_test(a_name_has_the_number_under_which_its_file_is_found),
        cmocka_unit_test(two_names_are_never_the_same),
        cmocka_unit_test(names_of_others_are_refused),
        cmocka_unit_test(a_name_tells_of_which_message_its_file_is),
        cmocka_unit_test(names_without_a_mark_tell_of_no_message),
    };
    return cmocka_run_group_tests_name("mail: names", tests, NULL, NULL);
}
