/* The ids of test messages: "exsyncd-test-KEY-NUMBER", both of 16 hexadecimal digits. */
#ifndef EXSYNC_EWS_EWS_TEST_ID_H
#define EXSYNC_EWS_EWS_TEST_ID_H

#include "ews/ews_parser.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number in the id that `text` begins with; 0 when it is none with this key. Key 0 fits none.
 */
uint64_t ews_test_id_read(uint64_t key, const char *text, size_t length);

/* Whether an ExtendedFieldURI names the property of submission ids. Exchange may write its name in
 * another case. */
bool ews_submission_field_is(const struct ews_attributes *attributes);

#endif
