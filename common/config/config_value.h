/* Values as people write them.
 *
 * Every reader returns true and stores the value, or returns false and appends one sentence to
 * `wrong`: what is wrong; what would be right. The sentences quote the value, except where a
 * password could stand in the wrong place (paths that are none, credentials, URLs, users). */
#ifndef EXSYNC_CONFIG_VALUE_H
#define EXSYNC_CONFIG_VALUE_H

#include "base/buffer.h"
#include "config/config_keys.h"

#include <stdbool.h>
#include <stdint.h>

struct config_value {
    uint64_t number;  /* a boolean, choice, number, mode, duration (ms) or size (bytes) */
    int64_t time_ms;  /* of a timestamp */
    bool now;         /* a timestamp that is no time but "now" */
    const char *text; /* of every kind that is a string: points into what was read; for move:FOLDER
                         the folder, for maildir:PATH the path */
};

/* `text` is without white space around it, not empty, and may be changed: addresses become lower
 * case, paths lose what is superfluous. It must stay valid as long as the value is used. */
bool config_value_read(const struct config_key *key, char *text, struct config_value *value,
                       struct buffer *wrong);

/* config_duration.c: durations and sizes. Bounds are inclusive. */
bool config_read_duration(const char *text, uint64_t minimum, uint64_t maximum,
                          uint64_t *milliseconds, struct buffer *wrong);
bool config_read_size(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *bytes,
                      struct buffer *wrong);

/* As they would be read: "5m", "16MB". */
void config_append_duration(struct buffer *text, uint64_t milliseconds);
void config_append_size(struct buffer *text, uint64_t bytes);

/* Durations with commas between them. `next` reads one that was found good, whose bounds are the
 * key's, and moves `*rest` behind it; false behind the last. */
bool config_read_durations(const char *list, uint64_t minimum, uint64_t maximum,
                           struct buffer *wrong);
bool config_next_duration(const char **rest, uint64_t *milliseconds);

/* config_address.c: addresses and other names of mailboxes. */
bool config_read_address(char *address, struct buffer *wrong);
bool config_is_sid(const char *text);

/* config_url.c: where Exchange Web Services answer. */
bool config_read_url(const char *url, struct buffer *wrong);

/* The same of an SMTP server. */
bool config_read_smtp_url(const char *url, struct buffer *wrong);
bool config_smtp_url_is_encrypted(const char *url);    /* smtps:// */
bool config_smtp_url_is_this_machine(const char *url); /* localhost, 127.*, [::1] */

/* config_maildir.c: maildir:PATH; `path` points into `text`. */
bool config_read_maildir(char *text, const char **path, struct buffer *wrong);

/* Of folder paths with commas between them: returns the next one with its length, and
 * NULL behind the last; start with `*rest` at the beginning of the list. */
const char *config_next_folder(const char **rest, size_t *length);

#endif
