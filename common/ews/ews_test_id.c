#include "ews/ews_test_id.h"

#include "base/digest.h"
#include "ews/ews_operation.h"
#include "ews/ews_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char prefix[] = "exsyncd-test-";

enum { DIGITS = 16 };

/* Not to be learnt from anything else that bears the instance. */
uint64_t backend_test_key(const char *instance)
{
    static const char purpose[] = "test messages";
    const struct digest_part parts[] = {
        {.bytes = purpose, .length = sizeof purpose - 1},
        {.bytes = instance, .length = strlen(instance)},
    };
    const struct digest digest = digest_of(parts, 2);
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof key; i++)
        key = key << 8 | digest.bytes[i];
    return key == 0 ? 1 : key;
}

void backend_test_id(const struct backend *backend, uint64_t number, char id[BACKEND_TEST_ID_SIZE])
{
    snprintf(id, BACKEND_TEST_ID_SIZE, "%s%016" PRIx64 "-%016" PRIx64, prefix,
             backend->settings.test_key, number);
}

/* False when the text does not begin with so many hexadecimal digits. */
static bool read_digits(const char *text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        char digit = text[i];
        unsigned value;
        if (digit >= '0' && digit <= '9')
            value = (unsigned)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            value = (unsigned)((digit | 0x20) - 'a') + 10;
        else
            return false;
        *number = *number << 4 | value;
    }
    return true;
}

uint64_t ews_test_id_read(uint64_t key, const char *text, size_t length)
{
    const size_t prefix_length = sizeof prefix - 1;
    uint64_t found, number;
    if (key == 0 || length < BACKEND_TEST_ID_SIZE - 1 ||
        strncasecmp(text, prefix, prefix_length) != 0)
        return 0;
    text += prefix_length;
    if (!read_digits(text, &found) || found != key || text[DIGITS] != '-' ||
        !read_digits(text + DIGITS + 1, &number))
        return 0;
    return number;
}

bool ews_submission_field_is(const struct ews_attributes *attributes)
{
    static const char expected[] = EWS_SUBMISSION_NAME;
    size_t length = 0;
    const char *name = ews_attribute(attributes, "PropertyName", &length);
    return name != NULL && length == sizeof expected - 1 &&
           strncasecmp(name, expected, length) == 0;
}
