/* Digests, UUIDs, random numbers and secrets. */
#include "base/digest.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/uuid.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct digest digest_two(const char *first, const char *second)
{
    struct digest_part parts[] = {{first, strlen(first)}, {second, strlen(second)}};
    return digest_of(parts, 2);
}

static void a_digest_is_sha256_of_the_length_prefixed_parts(void **state)
{
    (void)state;
    /* sha256 of 00 00 00 00 00 00 00 03 'a' 'b' 'c', the first 16 bytes */
    static const uint8_t expected[DIGEST_SIZE] = {0xc3, 0x49, 0x4c, 0xa1, 0xa2, 0xcf, 0x8e, 0xeb,
                                                  0x8a, 0x11, 0xde, 0xd3, 0x16, 0xfb, 0x55, 0xb8};
    struct digest_part part = {"abc", 3};
    struct digest digest = digest_of(&part, 1);
    assert_memory_equal(digest.bytes, expected, sizeof expected);
}

static void where_one_part_ends_matters(void **state)
{
    (void)state;
    struct digest one = digest_two("ab", "c");
    struct digest other = digest_two("a", "bc");
    struct digest again = digest_two("ab", "c");
    assert_false(digest_equal(&one, &other));
    assert_true(digest_equal(&one, &again));
}

static void an_empty_part_counts(void **state)
{
    (void)state;
    struct digest_part parts[] = {{"a", 1}, {NULL, 0}};
    struct digest one = digest_of(parts, 1);
    struct digest two = digest_of(parts, 2);
    assert_false(digest_equal(&one, &two));
}

static void ordered_uuids_sort_by_time_and_then_by_their_number(void **state)
{
    (void)state;
    char text[UUID_TEXT_SIZE];
    char last[UUID_TEXT_SIZE] = "";
    for (int64_t wall_ms = INT64_C(1700000000000); wall_ms < INT64_C(1700000000300);
         wall_ms += 99) {
        for (unsigned sequence = 0; sequence < 4096; sequence += 91) {
            uuid_generate_ordered(wall_ms, sequence, text);
            assert_true(strcmp(last, text) < 0);
            memcpy(last, text, sizeof text);
        }
    }
    uuid_generate_ordered(INT64_C(0x0123456789ab), 0xcde, text);
    assert_memory_equal(text, "01234567-89ab-7cde-", 19);
    assert_non_null(strchr("89ab", text[19]));
    assert_int_equal(strlen(text), UUID_TEXT_SIZE - 1);
}

static void a_uuid_is_of_version_four_and_never_the_same(void **state)
{
    (void)state;
    char last[UUID_TEXT_SIZE] = "";
    for (int i = 0; i < 1000; i++) {
        char text[UUID_TEXT_SIZE];
        uuid_generate(text);
        assert_int_equal(strlen(text), UUID_TEXT_SIZE - 1);
        assert_int_equal(strspn(text, "0123456789abcdef-"), UUID_TEXT_SIZE - 1);
        assert_true(text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_string_not_equal(text, last);
        memcpy(last, text, sizeof last);
    }
}

static void a_random_choice_stays_below_its_bound_and_reaches_every_value(void **state)
{
    (void)state;
    assert_int_equal(random_below(0), 0);
    assert_int_equal(random_below(1), 0);
    bool seen[7] = {false};
    size_t missing = 7;
    while (missing > 0) { /* ends: each value has the same chance */
        uint64_t choice = random_below(7);
        assert_true(choice < 7);
        missing -= seen[choice] ? 0 : 1;
        seen[choice] = true;
    }
    assert_true(random_below(UINT64_MAX) < UINT64_MAX);
}

static void a_secret_is_what_was_put_in(void **state)
{
    (void)state;
    struct secret *secret = secret_create("correct horse", 13);
    assert_string_equal(secret_reveal(secret), "correct horse");
    secret_free(secret);
    struct secret *nothing = secret_create(NULL, 0);
    assert_string_equal(secret_reveal(nothing), "");
    secret_free(nothing);
    secret_free(NULL);
}

static void secrets_are_equal_by_their_bytes(void **state)
{
    (void)state;
    struct secret *a = secret_create("password", 8);
    struct secret *b = secret_create("password", 8);
    struct secret *c = secret_create("passworD", 8);
    struct secret *d = secret_create("passwor", 7);
    assert_true(secret_equal(a, b));
    assert_false(secret_equal(a, c));
    assert_false(secret_equal(a, d));
    assert_false(secret_equal(a, NULL));
    assert_true(secret_equal(NULL, NULL));
    secret_free(a);
    secret_free(b);
    secret_free(c);
    secret_free(d);
}

/* The VmFlags of the mapping that `address` lies in: "dd" is "not into a core dump". */
static bool mapping_has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    char line[512];
    bool within = false;
    bool found = false;
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t begin;
        uintptr_t end;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
            within = (uintptr_t)address >= begin && (uintptr_t)address < end;
        if (within && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(maps);
    return found;
}

static void a_secret_stays_out_of_core_dumps(void **state)
{
    (void)state;
    if (!mapping_has_flag(&state, " rd"))
        skip(); /* a kernel, or valgrind, that does not say */
    struct secret *secret = secret_create("password", 8);
    assert_true(mapping_has_flag(secret_reveal(secret), " dd"));
    secret_free(secret);
}

static void wiped_memory_is_zero(void **state)
{
    (void)state;
    char bytes[] = "password";
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(NULL, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_sha256_of_the_length_prefixed_parts),
        cmocka_unit_test(where_one_part_ends_matters),
        cmocka_unit_test(an_empty_part_counts),
        cmocka_unit_test(a_uuid_is_of_version_four_and_never_the_same),
        cmocka_unit_test(ordered_uuids_sort_by_time_and_then_by_their_number),
        cmocka_unit_test(a_random_choice_stays_below_its_bound_and_reaches_every_value),
        cmocka_unit_test(a_secret_is_what_was_put_in),
        cmocka_unit_test(secrets_are_equal_by_their_bytes),
        cmocka_unit_test(a_secret_stays_out_of_core_dumps),
        cmocka_unit_test(wiped_memory_is_zero),
    };
    return cmocka_run_group_tests_name("base/identity", tests, NULL, NULL);
}
