#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static size_t end_of(const char *bytes, bool complete)
{
    return header_end(bytes, strlen(bytes), complete);
}

/* The field number `number` from 0 on. */
static struct header_field field_of(const char *bytes, size_t number)
{
    struct header_field field;
    size_t offset = 0;
    do {
        assert_true(header_next(bytes, strlen(bytes), &offset, &field));
    } while (number-- > 0);
    return field;
}

static void assert_text(const char *header, const char *expected)
{
    struct buffer text = {0};
    struct header_field field = field_of(header, 0);
    header_field_text(&field, &text);
    assert_string_equal(buffer_string(&text), expected);
    assert_int_equal(text.length, strlen(expected));
    buffer_release(&text);
}

static void the_header_ends_behind_the_first_empty_line(void **state)
{
    (void)state;
    assert_int_equal(end_of("A: b\r\n\r\nbody\r\n\r\n", false), 8);
    assert_int_equal(end_of("A: b\n\nbody", false), 6);
    assert_int_equal(end_of("A: b\r\n\nbody", false), 7);
    assert_int_equal(end_of("\r\nbody", false), 2);
    assert_int_equal(end_of("A: b\r\n \r\n\r\n", false), 11);
}

static void a_header_without_an_end_ends_with_the_message(void **state)
{
    (void)state;
    assert_int_equal(end_of("A: b\r\n", false), 0);
    assert_int_equal(end_of("A: b\r\n", true), 6);
    assert_int_equal(end_of("A: b", true), 4);
    assert_int_equal(end_of("", true), 0);
    assert_int_equal(end_of("A: b\r\n\r", false), 0);
}

static void fields_are_found_with_their_folded_lines(void **state)
{
    (void)state;
    static const char header[] = "A: 1\r\n 2\r\n\t3\r\nBcc : x\nC:\r\n\r\nD: no\r\n";
    struct header_field field = field_of(header, 0);
    assert_true(header_field_is(&field, "a"));
    assert_int_equal(field.length, 14);
    assert_memory_equal(field.body, " 1\r\n 2\r\n\t3\r\n", field.body_length);
    field = field_of(header, 1);
    assert_true(header_field_is(&field, "bcc"));
    assert_false(header_field_is(&field, "bc"));
    assert_false(header_field_is(&field, "bccc"));
    assert_memory_equal(field.body, " x\n", field.body_length);
    field = field_of(header, 2);
    assert_true(header_field_is(&field, "C"));
    assert_int_equal(field.body_length, 2);
    size_t offset = 0;
    size_t count = 0;
    while (header_next(header, strlen(header), &offset, &field))
        count++;
    assert_int_equal(count, 3);
}

static void a_line_that_is_no_field_is_told_as_such(void **state)
{
    (void)state;
    static const char *const lines[] = {"no field\r\n",
                                        " folded: first\r\n",
                                        ": x\r\n",
                                        "a b: x\r\n",
                                        "caf\xc3\xa9: x\r\n",
                                        "plain",
                                        "\xef\xbb\xbf"
                                        "From: x\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct header_field field = field_of(lines[i], 0);
        assert_int_equal(field.name_length, 0);
        assert_int_equal(field.length, strlen(lines[i]));
        assert_false(header_field_is(&field, "a"));
    }
    struct header_field field = field_of("A: b\r\nbroken\r\n folded\r\nB: c\r\n", 2);
    assert_true(header_field_is(&field, "B"));
}

static void a_body_is_unfolded(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct header_field field = field_of("To:  a@b,\r\n\tc@d\n  (e)  \r\n", 0);
    buffer_append_string(&text, "before ");
    header_field_unfold(&field, &text);
    assert_string_equal(text.data, "before a@b,\tc@d  (e)");
    buffer_release(&text);
    field = field_of("To:\r\n", 0);
    header_field_unfold(&field, &text);
    assert_string_equal(buffer_string(&text), "");
    buffer_release(&text);
}

static void encoded_words_are_decoded(void **state)
{
    (void)state;
    assert_text("S: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n", "Gr\xc3\xbc\xc3\x9f"
                                                     "e");
    assert_text("S: =?UTF-8?B?R3LDvMOfZQ==?= aus =?utf-8?q?K=c3=b6ln?=\r\n", "Gr\xc3\xbc\xc3\x9f"
                                                                             "e aus K\xc3\xb6ln");
    assert_text("S: =?windows-1252?Q?=80_5?=\r\n", "\xe2\x82\xac 5");
    assert_text("S: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\n", "\xe6\x97\xa5\xe6\x9c\xac");
    assert_text("S: =?gb2312?B?xOO6ww==?=\r\n", "\xe4\xbd\xa0\xe5\xa5\xbd");
    assert_text("S: =?utf-8*de?Q?ja?=\r\n", "ja");
}

static void white_space_between_encoded_words_goes(void **state)
{
    (void)state;
    assert_text("S: =?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c =?utf-8?Q?d?=\r\n", "ab c d");
    assert_text("S: =?utf-8?Q?a?= =?iso-8859-1?Q?=FC?=\r\n", "a\xc3\xbc");
}

static void a_character_may_be_cut_between_two_words(void **state)
{
    (void)state;
    assert_text("S: =?utf-8?Q?a=C3?= =?utf-8?Q?=BCb?=\r\n", "a\xc3\xbc"
                                                            "b");
    assert_text("S: =?utf-8?B?w7w=?= =?utf-8?B?4oI=?= =?utf-8?B?rA==?=\r\n",
                "\xc3\xbc\xe2\x82\xac");
}

static void what_is_no_encoded_word_stays(void **state)
{
    (void)state;
    assert_text("S: =?x-unknown?Q?a?= =?utf-8?X?a?= =?utf-8?Q?a =? ?= ==\r\n",
                "=?x-unknown?Q?a?= =?utf-8?X?a?= a =?  ==");
    assert_text("S: =?utf-7?Q?+ACI-?=\r\n", "=?utf-7?Q?+ACI-?=");
    assert_text("S: =?utf-8?Q?=4?= =?utf-8?Q?=ZZ?=\r\n", "=4=ZZ");
}

static void a_text_is_one_line_of_utf8(void **state)
{
    (void)state;
    assert_text("S: a\tb\x01"
                "c\r\n",
                "a b c");
    assert_text("S: =?utf-8?Q?x=0D=0ABcc:_y=00z?=\r\n", "x  Bcc: y z");
    assert_text("S: caf\xe9 caf\xc3\xa9\r\n", "caf? caf\xc3\xa9");
    assert_text("S: =?utf-8?Q?a=FFb?=\r\n", "a?b");
    assert_text("S: =?utf-8?Q?_a_?=\r\n", "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_ends_behind_the_first_empty_line),
        cmocka_unit_test(a_header_without_an_end_ends_with_the_message),
        cmocka_unit_test(fields_are_found_with_their_folded_lines),
        cmocka_unit_test(a_line_that_is_no_field_is_told_as_such),
        cmocka_unit_test(a_body_is_unfolded),
        cmocka_unit_test(encoded_words_are_decoded),
        cmocka_unit_test(white_space_between_encoded_words_goes),
        cmocka_unit_test(a_character_may_be_cut_between_two_words),
        cmocka_unit_test(what_is_no_encoded_word_stays),
        cmocka_unit_test(a_text_is_one_line_of_utf8),
    };
    return cmocka_run_group_tests_name("mail: header", tests, NULL, NULL);
}
