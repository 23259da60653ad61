/* For the daemon's tests: what was logged, line by line, with its fields. To be included by one
 * file of a test, instead of daemon_world.h. */
#ifndef EXSYNC_TESTS_DAEMON_LOGGED_H
#define EXSYNC_TESTS_DAEMON_LOGGED_H

#include "base/log.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOGGED_MAX = 32 };

struct logged_line {
    enum log_priority priority;
    char text[LOG_LINE_SIZE];
    struct log_fields fields; /* owned */
};

static struct logged_line logged[LOGGED_MAX];
static size_t logged_lines;

/* All members of struct log_fields are strings. */
enum { LOGGED_FIELDS = sizeof(struct log_fields) / sizeof(const char *) };

static inline void logged_copy(struct log_fields *to, const struct log_fields *from)
{
    const char *fields[LOGGED_FIELDS];
    memcpy(fields, from, sizeof fields);
    for (size_t i = 0; i < LOGGED_FIELDS; i++)
        fields[i] = memory_copy_string(fields[i]);
    memcpy(to, fields, sizeof fields);
}

static inline void logged_forget(void)
{
    char *fields[LOGGED_FIELDS];
    for (size_t line = 0; line < logged_lines; line++) {
        memcpy(fields, &logged[line].fields, sizeof fields);
        for (size_t i = 0; i < LOGGED_FIELDS; i++)
            memory_free(fields[i]);
    }
    memset(logged, 0, sizeof logged);
    logged_lines = 0;
}

int log_enabled(const struct log *log, enum log_priority priority)
{
    (void)log, (void)priority;
    return 1;
}

void log_write(struct log *log, enum log_priority priority, const struct log_fields *fields,
               const char *format, ...)
{
    static const struct log_fields none;
    va_list arguments;
    (void)log;
    assert_true(logged_lines < LOGGED_MAX);
    struct logged_line *line = &logged[logged_lines++];
    line->priority = priority;
    va_start(arguments, format);
    assert_true(vsnprintf(line->text, sizeof line->text, format, arguments) > 0);
    va_end(arguments);
    logged_copy(&line->fields, fields == NULL ? &none : fields);
}

/* How many lines are these words to the letter. */
static inline size_t logged_count(const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < logged_lines; i++)
        count += strcmp(logged[i].text, text) == 0;
    return count;
}

/* How many lines have these words in them. */
static inline size_t logged_with(const char *words)
{
    size_t count = 0;
    for (size_t i = 0; i < logged_lines; i++)
        count += strstr(logged[i].text, words) != NULL;
    return count;
}

/* The one line with this MESSAGE_ID. */
static inline const struct logged_line *logged_as(const char *message_id)
{
    const struct logged_line *found = NULL;
    for (size_t i = 0; i < logged_lines; i++) {
        const char *id = logged[i].fields.message_id;
        if (id == NULL || strcmp(id, message_id) != 0)
            continue;
        assert_null(found);
        found = &logged[i];
    }
    assert_non_null(found);
    return found;
}

#endif
