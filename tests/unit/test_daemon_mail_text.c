/* The parts of a mail: folded fields, quoted-printable text. */
#include "daemon/mail_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

static void a_date_is_in_utc(void **state)
{
    (void)state;
    struct buffer mail = {0};
    mail_write_date(&mail, INT64_C(1700000600000));
    assert_string_equal(mail.data, "Tue, 14 Nov 2023 22:23:20 +0000");
    buffer_release(&mail);
}

static void assert_field(const char *value, const char *wanted)
{
    struct buffer mail = {0};
    mail_write_field(&mail, "Subject", value);
    assert_string_equal(buffer_string(&mail), wanted);
    buffer_release(&mail);
}

static void a_field_is_folded_between_words(void **state)
{
    (void)state;
    assert_field("short", "Subject: short\r\n");
    assert_field("one\r\nBcc: two", "Subject: one  Bcc: two\r\n");
    assert_field("exsyncd: 300 mailboxes of the profile that has a long name indeed do not "
                 "synchronize any more",
                 "Subject: exsyncd: 300 mailboxes of the profile that has a long name indeed\r\n"
                 " do not synchronize any more\r\n");
    assert_field("one-word-that-is-longer-than-a-line-may-be-and-cannot-be-folded-anywhere-at-all",
                 "Subject: one-word-that-is-longer-than-a-line-may-be-and-cannot-be-folded-"
                 "anywhere-at-all\r\n");
    assert_field("Gr\xc3\xbc\xc3\x9f", "Subject: =?UTF-8?Q?=47=72=C3=BC=C3=9F?=\r\n");
}

static void assert_quoted(const char *text, const char *wanted)
{
    struct buffer mail = {0};
    mail_write_quoted_printable(&mail, text, strlen(text));
    assert_string_equal(buffer_string(&mail), wanted);
    buffer_release(&mail);
}

static void text_is_quoted_where_it_must_be(void **state)
{
    (void)state;
    assert_quoted("", "");
    assert_quoted("a\n\nb", "a\r\n\r\nb\r\n");
    assert_quoted("a=b \t\n \n", "a=3Db =09\r\n=20\r\n");
    assert_quoted(".\n..\n", "=2E\r\n=2E.\r\n");
    assert_quoted("\xc3\xbc\r\x7f\n", "=C3=BC=0D=7F\r\n");
}

static int hex(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

/* As RFC 2045 says; lines are checked on the way. */
static void assert_survives(const char *text)
{
    struct buffer mail = {0}, back = {0};
    mail_write_quoted_printable(&mail, text, strlen(text));
    for (const char *line = buffer_string(&mail); *line != '\0';) {
        const char *end = strstr(line, "\r\n");
        assert_non_null(end);
        assert_true(end - line < 76);
        assert_int_not_equal(*line, '.');
        assert_true(end == line || (end[-1] != ' ' && end[-1] != '\t'));
        bool soft = false;
        while (line < end) {
            if (*line != '=') {
                buffer_append_char(&back, *line++);
            } else if (line + 1 == end) {
                soft = true;
                line++;
            } else {
                buffer_append_char(&back, (char)(hex(line[1]) * 16 + hex(line[2])));
                line += 3;
            }
        }
        if (!soft)
            buffer_append_char(&back, '\n');
        line = end + 2;
    }
    assert_string_equal(buffer_string(&back), text);
    buffer_release(&mail);
    buffer_release(&back);
}

static void lines_of_every_length_survive(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "\xc3\xbc", ".", " ", "=", "\t.", "word "};
    for (size_t piece = 0; piece < sizeof pieces / sizeof pieces[0]; piece++) {
        struct buffer text = {0};
        for (int i = 0; i < 240; i++) {
            buffer_append_string(&text, pieces[piece]);
            buffer_append_char(&text, '\n');
            assert_survives(text.data);
            text.length--;
        }
        buffer_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_in_utc),
        cmocka_unit_test(a_field_is_folded_between_words),
        cmocka_unit_test(text_is_quoted_where_it_must_be),
        cmocka_unit_test(lines_of_every_length_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
