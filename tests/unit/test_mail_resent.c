/* Which fields of a header say whom a message goes to. */
#include "mail/resent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* The bodies of the fields that hold recipients, in their order, as "to=a@b bcc=c@d". */
static void assert_recipients(const char *header, const char *wanted)
{
    static const char *const names[] = {"To", "Cc", "Bcc"};
    const struct resent_block block = resent_find(header, strlen(header));
    struct buffer found = {0};
    struct header_field field;
    for (size_t at = 0; header_next(header, strlen(header), &at, &field);) {
        for (size_t i = 0; i < 3; i++) {
            if (!resent_is_recipients(&block, &field, names[i]))
                continue;
            buffer_append_format(&found, "%s%s=", found.length > 0 ? " " : "", names[i]);
            header_field_unfold(&field, &found);
        }
    }
    assert_string_equal(buffer_string(&found), wanted);
    buffer_release(&found);
}

static void a_message_that_is_not_resent_goes_to_its_recipients(void **state)
{
    (void)state;
    assert_recipients("From: a@b\nTo: c@d\ncc: e@f\nBCC: g@h\n\n", "To=c@d Cc=e@f Bcc=g@h");
    assert_recipients("Resent-From: a@b\nResent-Date: now\nTo: c@d\n\n", "To=c@d");
    assert_recipients("To: c@d\nResent-: x\nResentTo: y\n\n", "To=c@d");
    assert_recipients("", "");
}

static void one_that_is_resent_goes_to_the_most_recent_block_alone(void **state)
{
    (void)state;
    assert_recipients("Resent-To: new@d\nResent-Bcc: x@d\nResent-To: old@d\nTo: c@d\n\n",
                      "To=new@d Bcc=x@d");
    assert_recipients("Resent-To: new@d\nReceived: x\nResent-Cc: old@d\nTo: c@d\n\n", "To=new@d");
    assert_recipients("To: c@d\nResent-From: a@b\nResent-Cc: new@d\nBcc: g@h\n\n", "Cc=new@d");
}

static void a_block_without_recipients_is_passed_over(void **state)
{
    (void)state;
    assert_recipients("Resent-From: a@b\nReceived: x\nResent-Cc: old@d\nTo: c@d\n\n", "Cc=old@d");
    assert_recipients("Resent-From: a@b\nResent-From: c@d\nResent-To: old@d\nTo: c@d\n\n",
                      "To=old@d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_is_not_resent_goes_to_its_recipients),
        cmocka_unit_test(one_that_is_resent_goes_to_the_most_recent_block_alone),
        cmocka_unit_test(a_block_without_recipients_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
