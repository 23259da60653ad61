/* Values as they stand in an answer. */
#ifndef EXSYNC_EWS_EWS_VALUE_H
#define EXSYNC_EWS_EWS_VALUE_H

#include "ews/ews_parser.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the white space at both ends away. */
void ews_value_trim(const char **text, size_t *length);

/* Numbers of an answer go into sums and products: thousands of this one fit. EWS itself ends at
 * 2^31 - 1. */
#define EWS_VALUE_NUMBER_MAX (INT64_C(1) << 48)

/* 0..EWS_VALUE_NUMBER_MAX; what is no number, or too large, is `otherwise`. */
int64_t ews_value_number(const char *text, size_t length, int64_t otherwise);

/* The same of an attribute; -1 when it is missing or none. */
int64_t ews_value_number_attribute(const struct ews_attributes *attributes, const char *name);

bool ews_value_boolean(const char *text, size_t length);

#endif
