/* Members of JSON objects that leave the daemon: for exsyncctl, and for the command that tells an
 * owner. Texts come from outside: one that is no UTF-8 becomes a line of valid UTF-8 (base/text.h),
 * so that no object is ever without a member for want of good words. */
#ifndef EXSYNC_DAEMON_JSON_MEMBER_H
#define EXSYNC_DAEMON_JSON_MEMBER_H

#include "base/buffer.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A string of `length` bytes. */
json_t *json_text_of(const char *text, size_t length);

/* Null for NULL and "": a member without a value is null, everywhere. */
json_t *json_text(const char *text);
void json_set_text(json_t *object, const char *name, const char *text);

/* The same of what is in the buffer, which is empty afterwards. */
void json_set_buffer(json_t *object, const char *name, struct buffer *text);

void json_set_number(json_t *object, const char *name, uint64_t number);

/* Wall time as xs:dateTime in UTC; 0 and INT64_MAX, which stand for none, become null. */
void json_set_time(json_t *object, const char *name, int64_t wall_ms);

/* An array with the lines of a text. */
void json_set_lines(json_t *object, const char *name, const char *lines);

#endif
