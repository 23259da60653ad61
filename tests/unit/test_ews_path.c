#include "ews/ews_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool same(const char *a, const char *b)
{
    bool one = ews_path_same_name(a, strlen(a), b, strlen(b));
    assert_int_equal(ews_path_same_name(b, strlen(b), a, strlen(a)), one);
    return one;
}

static void names_are_compared_without_case(void **state)
{
    (void)state;
    assert_true(same("Orders", "oRDERS"));
    assert_true(same("\xc3\x84rger", "\xc3\xa4RGER"));         /* Aerger, with umlaut */
    assert_true(same("\xce\xa3\xce\xa9", "\xcf\x83\xcf\x89")); /* Greek */
    assert_true(same("\xd0\x9f\xd0\xbe", "\xd0\xbf\xd0\x9e")); /* Cyrillic */
    assert_true(same("\xe6\x97\xa5", "\xe6\x97\xa5"));         /* no case at all */
    assert_true(same("", ""));
    assert_false(same("Orders", "Order"));
    assert_false(same("", "a"));
    assert_false(same("\xc3\x84", "A"));
    assert_false(same("\xe6\x97\xa5", "\xe6\x97\xa6"));
}

static void what_is_no_utf8_equals_only_itself(void **state)
{
    (void)state;
    assert_true(same("a\xff", "A\xff"));
    assert_false(same("a\xff", "a\xfe"));
    assert_false(same("\xc3", "\xc3\xa4"));
    assert_false(same("\xe2\x82", "\xe2\x82\xac"));
    assert_false(same("\xc3(", "\xc3)"));
}

static void assert_component(const char *path, const char *component, const char *rest)
{
    size_t length;
    const char *left;
    const char *found = ews_path_component(path, &length, &left);
    assert_int_equal(length, strlen(component));
    assert_memory_equal(found, component, length);
    assert_string_equal(left, rest);
}

static void paths_are_taken_apart(void **state)
{
    (void)state;
    assert_component("Inbox", "Inbox", "");
    assert_component("Inbox/Orders/2026", "Inbox", "Orders/2026");
    assert_component("//a b//c/", "a b", "c/");
    assert_component("c/", "c", "");
    assert_component("///", "", "");
    assert_component("", "", "");
}

static void well_known_folders_are_known_in_any_case(void **state)
{
    (void)state;
    assert_string_equal(ews_path_well_known("iNBOX", 5), ":inbox");
    assert_string_equal(ews_path_well_known("sent items/x", 10), ":sentitems");
    assert_string_equal(ews_path_well_known("Deleted Items", 13), ":deleteditems");
    assert_null(ews_path_well_known("Inbo", 4));
    assert_null(ews_path_well_known("Inboxes", 7));
    assert_null(ews_path_well_known("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_compared_without_case),
        cmocka_unit_test(what_is_no_utf8_equals_only_itself),
        cmocka_unit_test(paths_are_taken_apart),
        cmocka_unit_test(well_known_folders_are_known_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
