#include "daemon/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void each_category_is_filed_under_an_id_of_its_own(void **state)
{
    (void)state;
    for (enum failure_category one = FAILURE_IMPERSONATION; one <= FAILURE_STORAGE; one++) {
        assert_int_equal(strlen(message_of_alert(one)), 32);
        for (enum failure_category other = one + 1; other <= FAILURE_STORAGE; other++)
            assert_string_not_equal(message_of_alert(one), message_of_alert(other));
    }
    assert_string_equal(message_of_alert(FAILURE_IMPERSONATION), MESSAGE_ALERT_IMPERSONATION);
    assert_string_equal(message_of_alert(FAILURE_STORAGE), MESSAGE_ALERT_STORAGE);
}

static void what_is_no_category_of_an_alert_is_filed_all_the_same(void **state)
{
    (void)state;
    assert_string_equal(message_of_alert(FAILURE_NONE), MESSAGE_ALERT_SERVER);
    assert_string_equal(message_of_alert(FAILURE_CANCELLED), MESSAGE_ALERT_SERVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_category_is_filed_under_an_id_of_its_own),
        cmocka_unit_test(what_is_no_category_of_an_alert_is_filed_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
