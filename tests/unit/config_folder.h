/* A folder of configuration files for one test: written, loaded, and compared with what the report
 * must say. In texts of the tests, $DIR stands for the folder; in reports it is left out. */
#ifndef EXSYNC_TEST_CONFIG_FOLDER_H
#define EXSYNC_TEST_CONFIG_FOLDER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "config/config.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROFILE                                                             \
    "[profile contoso]\nurl = https://mail.contoso.com/EWS/Exchange.asmx\n" \
    "username = CONTOSO\\svc-sync\npassword_file = $DIR/password\n"
enum { PROFILE_LINES = 4 };

struct config_folder {
    char path[64];
    struct buffer report; /* of the last load */
};

/* `text` with every `from` replaced. Caller frees. */
static inline char *replace_all(const char *text, const char *from, const char *to)
{
    struct buffer result = {0};
    buffer_append_string(&result, "");
    for (const char *at = strstr(text, from); at != NULL; at = strstr(text, from)) {
        buffer_append(&result, text, (size_t)(at - text));
        buffer_append_string(&result, to);
        text = at + strlen(from);
    }
    buffer_append_string(&result, text);
    return buffer_take(&result);
}

static inline void folder_write_bytes(struct config_folder *folder, const char *name,
                                      const void *bytes, size_t length, mode_t mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    unlink(path);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, length, stream), length);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline void folder_write(struct config_folder *folder, const char *name, const char *text)
{
    char *expanded = replace_all(text, "$DIR", folder->path);
    folder_write_bytes(folder, name, expanded, strlen(expanded), 0600);
    memory_free(expanded);
}

static inline int remove_file(const char *path, const struct stat *status, int kind,
                              struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static inline int folder_open(void **state)
{
    struct config_folder *folder = memory_allocate(sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/exsyncd-config-XXXXXX");
    if (mkdtemp(folder->path) == NULL)
        return -1;
    char path[128];
    snprintf(path, sizeof path, "%s/conf.d", folder->path);
    if (mkdir(path, 0700) != 0)
        return -1;
    folder_write(folder, "password", "correct horse\n");
    unsetenv("CREDENTIALS_DIRECTORY");
    *state = folder;
    return 0;
}

static inline int folder_close(void **state)
{
    struct config_folder *folder = *state;
    nftw(folder->path, remove_file, 16, FTW_DEPTH | FTW_PHYS);
    buffer_release(&folder->report);
    memory_free(folder);
    return 0;
}

/* Loads exsyncd.conf; the report is then folder->report, the folder's name left out. */
static inline struct config *folder_load(struct config_folder *folder)
{
    char path[128];
    struct buffer report = {0};
    snprintf(path, sizeof path, "%s/exsyncd.conf", folder->path);
    struct config *config = config_load(path, &report);
    snprintf(path, sizeof path, "%s/", folder->path);
    char *text = replace_all(buffer_string(&report), path, "");
    buffer_clear(&folder->report);
    buffer_append_string(&folder->report, text);
    memory_free(text);
    buffer_release(&report);
    return config;
}

/* The text must be refused, with exactly these lines in the report. */
static inline void assert_refused(struct config_folder *folder, const char *text,
                                  const char *expected)
{
    folder_write(folder, "exsyncd.conf", text);
    struct config *config = folder_load(folder);
    assert_string_equal(buffer_string(&folder->report), expected);
    assert_null(config);
}

/* Takes the lines that hold `words` out of the text. */
static inline void leave_out_lines(struct buffer *text, const char *words)
{
    struct buffer rest = {0};
    for (const char *line = buffer_string(text); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        length += line[length] == '\n';
        if (memmem(line, length, words, strlen(words)) == NULL)
            buffer_append(&rest, line, length);
        line += length;
    }
    buffer_release(text);
    *text = rest;
}

/* The text must be taken, with exactly these warnings; the one about a profile without an owner is
 * looked at only when it is among them. The caller frees. */
static inline struct config *assert_taken(struct config_folder *folder, const char *text,
                                          const char *expected)
{
    folder_write(folder, "exsyncd.conf", text);
    struct config *config = folder_load(folder);
    if (strstr(expected, "owner: is missing") == NULL)
        leave_out_lines(&folder->report, "owner: is missing");
    assert_string_equal(buffer_string(&folder->report), expected);
    assert_non_null(config);
    return config;
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_open, folder_close)

#endif
