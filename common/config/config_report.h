/* The mistakes found while a configuration is read, and where they stand.
 *
 * They are collected in the order in which they are found and written in the order of the files and
 * their lines; the same sentence about the same place is written once. Text from outside may be
 * passed in: control characters are replaced. Nothing secret may be. */
#ifndef EXSYNC_CONFIG_REPORT_H
#define EXSYNC_CONFIG_REPORT_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

struct config_place {
    uint32_t file; /* from config_report_add_file */
    uint32_t line; /* 1..; 0 means the file as a whole */
};

struct config_mistake {
    struct config_place place;
    size_t order; /* in which it was found */
    char *text;
};

/* A report of zeroes ({0}) is a valid empty one. */
struct config_report {
    char **files;
    size_t file_count;
    struct config_mistake *mistakes;
    size_t count;
    size_t capacity;
    size_t error_count; /* without the warnings */
};

uint32_t config_report_add_file(struct config_report *report, const char *path);

/* `section` and `key` are NULL when the mistake has none. */
void config_report_error(struct config_report *report, struct config_place place,
                         const char *section, const char *key, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void config_report_warning(struct config_report *report, struct config_place place,
                           const char *section, const char *key, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* "FILE:LINE", for a sentence that names a second place. Caller frees (memory_free). */
char *config_report_where(const struct config_report *report, struct config_place place);

void config_report_write(struct config_report *report, struct buffer *output);
void config_report_release(struct config_report *report);

#endif
