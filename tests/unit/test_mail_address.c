#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

/* The list in one line: "address|name" with commas between them, "!N" for N that are none. */
static char *read_list(const char *text)
{
    struct address_list list = {0};
    struct buffer line = {0};
    address_list_parse(&list, text, strlen(text));
    for (size_t i = 0; i < list.count; i++) {
        buffer_append_format(&line, "%s%s", i > 0 ? "," : "", list.addresses[i].address);
        if (list.addresses[i].name != NULL)
            buffer_append_format(&line, "|%s", list.addresses[i].name);
    }
    if (list.invalid > 0)
        buffer_append_format(&line, "!%zu", list.invalid);
    address_list_release(&list);
    return buffer_take(&line);
}

static void assert_list(const char *text, const char *expected)
{
    char *list = read_list(text);
    assert_string_equal(list, expected);
    memory_free(list);
}

static void plain_addresses_and_names_are_read(void **state)
{
    (void)state;
    assert_list("anna@contoso.com", "anna@contoso.com");
    assert_list("Anna Schmidt <anna@contoso.com>", "anna@contoso.com|Anna Schmidt");
    assert_list("\"Schmidt, Anna\" <anna@contoso.com>, bob@contoso.com",
                "anna@contoso.com|Schmidt, Anna,bob@contoso.com");
    assert_list("<anna@contoso.com>", "anna@contoso.com");
    assert_list("  Anna \t Schmidt<anna@contoso.com>  ", "anna@contoso.com|Anna Schmidt");
    assert_list("\"An \\\"na\\\"\" <a@b.example>", "a@b.example|An \"na\"");
    assert_list("", "");
}

static void the_domain_becomes_lower_case_and_the_local_part_stays(void **state)
{
    (void)state;
    assert_list("Anna@CONTOSO.Com", "Anna@contoso.com");
}

static void a_local_sender_has_no_domain(void **state)
{
    (void)state;
    assert_list("root", "root");
    assert_list("Cron Daemon <root>", "root|Cron Daemon");
    assert_list("root (Cron Daemon)", "root|Cron Daemon");
}

static void a_comment_is_the_name_when_there_is_no_other(void **state)
{
    (void)state;
    assert_list("anna@contoso.com (Anna (the first) Schmidt)",
                "anna@contoso.com|Anna (the first) Schmidt");
    assert_list("Anna <anna(x)@contoso.com> (on leave)", "anna@contoso.com|Anna");
    assert_list("anna@(at work)contoso.com", "anna@contoso.com|at work");
}

static void members_of_groups_count_and_the_groups_do_not(void **state)
{
    (void)state;
    assert_list("Sales: anna@contoso.com, Bob <bob@contoso.com>; eve@contoso.com",
                "anna@contoso.com,bob@contoso.com|Bob,eve@contoso.com");
    assert_list("undisclosed-recipients:;", "");
}

static void obsolete_forms_are_understood(void **state)
{
    (void)state;
    assert_list("<@a.example,@b.example:anna@contoso.com>", "anna@contoso.com");
    assert_list("anna . schmidt @ contoso . com", "anna.schmidt@contoso.com");
    assert_list(",,anna@contoso.com,,", "anna@contoso.com");
    assert_list("John Q. Public <john@contoso.com>", "john@contoso.com|John Q. Public");
}

static void what_programs_get_wrong_is_understood(void **state)
{
    (void)state;
    assert_list("anna@contoso.com <anna@contoso.com>", "anna@contoso.com|anna@contoso.com");
    assert_list("Anna <anna@contoso.com, bob@contoso.com", "anna@contoso.com|Anna,bob@contoso.com");
    assert_list("\"Anna <anna@contoso.com>", "anna@contoso.com|Anna");
    assert_list("Anna (at work <anna@contoso.com>", "anna@contoso.com|Anna (at work");
    assert_list("<mailto:anna@contoso.com>", "anna@contoso.com");
    assert_list("anna@contoso.com; bob@contoso.com", "anna@contoso.com,bob@contoso.com");
    assert_list("Anna <anna@contoso.com> <bob@contoso.com>",
                "anna@contoso.com|Anna,bob@contoso.com");
}

static void quotes_stay_around_local_parts_that_need_them(void **state)
{
    (void)state;
    assert_list("\"anna\"@contoso.com", "anna@contoso.com");
    assert_list("<\"anna b\"@contoso.com>", "\"anna b\"@contoso.com");
    assert_list("<\"a@b\\\"c\"@contoso.com>", "\"a@b\\\"c\"@contoso.com");
    assert_list("\"\"@contoso.com", "\"\"@contoso.com");
}

static void domain_literals_are_domains(void **state)
{
    (void)state;
    assert_list("anna@[192.0.2.1]", "anna@[192.0.2.1]");
    assert_list("Anna <anna@[IPv6:2001:DB8::1]>", "anna@[ipv6:2001:db8::1]|Anna");
    assert_list("anna@[IPv6:::1], bob@contoso.com", "anna@[ipv6:::1],bob@contoso.com");
    assert_list("anna@[192.0.2.1", "!1");
}

static void encoded_names_are_decoded(void **state)
{
    (void)state;
    assert_list("=?iso-8859-1?Q?J=FCrgen_M=FCller?= <j@contoso.com>",
                "j@contoso.com|J\xc3\xbcrgen M\xc3\xbcller");
    assert_list("=?utf-8?Q?M=C3=BCller=2C?= =?utf-8?Q?_J=C3=BCrgen?= <j@contoso.com>",
                "j@contoso.com|M\xc3\xbcller, J\xc3\xbcrgen");
    assert_list("=?utf-8?Q?a=0D=0ABcc:_x?= <j@contoso.com>", "j@contoso.com|a  Bcc: x");
    assert_list("=?utf-8?Q?M=C3=BCller,_J.?= <j@contoso.com>", "j@contoso.com|M\xc3\xbcller, J.");
    assert_list("=?x <a@b>, b@c?=", "a@b|=?x,b@c?=");
}

static void addresses_in_utf8_are_addresses(void **state)
{
    (void)state;
    assert_list("J\xc3\xbcrgen <j\xc3\xbc@m\xc3\xbcller.example>",
                "j\xc3\xbc@m\xc3\xbcller.example|J\xc3\xbcrgen");
    assert_list("j\xfc@contoso.com", "!1");
}

static void what_is_no_address_is_counted(void **state)
{
    (void)state;
    assert_list("Anna Schmidt, bob@contoso.com", "bob@contoso.com!1");
    assert_list("<>, a@b@c, @contoso.com, anna@, a b@contoso.com", "!5");
    assert_list("anna@contoso.com\x01", "!1");
    assert_list("\\, [, ], ), (", "!5");
}

static void an_address_is_found_without_regard_to_case(void **state)
{
    (void)state;
    struct address_list list = {0};
    address_list_add(&list, "Anna@contoso.com", NULL);
    address_list_add(&list, "bob@contoso.com", "Bob");
    assert_true(address_list_has(&list, "anna@Contoso.com"));
    assert_true(address_list_has(&list, "bob@contoso.com"));
    assert_false(address_list_has(&list, "eve@contoso.com"));
    assert_string_equal(list.addresses[1].name, "Bob");
    address_list_release(&list);
    assert_int_equal(list.count, 0);
}

static void a_long_list_keeps_its_order(void **state)
{
    enum { COUNT = 5000 };
    (void)state;
    struct address_list list = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        char text[40];
        int length = snprintf(text, sizeof text, "user%u@contoso.com", i);
        address_list_parse(&list, text, (size_t)length);
    }
    assert_int_equal(list.count, COUNT);
    assert_string_equal(list.addresses[4321].address, "user4321@contoso.com");
    address_list_release(&list);
}

/* A quarter of a megabyte of what has no end takes no longer than one look each. */
static void hostile_fields_are_read_in_one_pass(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\"", "(",   "<",      "<\"", "\"\\",
                                         "@[", "@[:", "=?a?Q?", "<,",  "(\\"};
    enum { SIZE = 256 * 1024 };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct buffer text = {0};
        while (text.length < SIZE)
            buffer_append_string(&text, pieces[i]);
        struct address_list list = {0};
        address_list_parse(&list, text.data, text.length);
        address_list_release(&list);
        buffer_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_addresses_and_names_are_read),
        cmocka_unit_test(the_domain_becomes_lower_case_and_the_local_part_stays),
        cmocka_unit_test(a_local_sender_has_no_domain),
        cmocka_unit_test(a_comment_is_the_name_when_there_is_no_other),
        cmocka_unit_test(members_of_groups_count_and_the_groups_do_not),
        cmocka_unit_test(obsolete_forms_are_understood),
        cmocka_unit_test(what_programs_get_wrong_is_understood),
        cmocka_unit_test(quotes_stay_around_local_parts_that_need_them),
        cmocka_unit_test(domain_literals_are_domains),
        cmocka_unit_test(encoded_names_are_decoded),
        cmocka_unit_test(addresses_in_utf8_are_addresses),
        cmocka_unit_test(what_is_no_address_is_counted),
        cmocka_unit_test(an_address_is_found_without_regard_to_case),
        cmocka_unit_test(a_long_list_keeps_its_order),
        cmocka_unit_test(hostile_fields_are_read_in_one_pass),
    };
    return cmocka_run_group_tests_name("mail: addresses", tests, NULL, NULL);
}
