#define _GNU_SOURCE /* eaccess */
#include "daemon/check.h"

#include "base/memory.h"
#include "daemon/check_sandbox.h"
#include "daemon/service.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USER_ENTRY_SIZE = 4096 };

/* The user's name, or number when it has none. */
static void append_user(struct buffer *text)
{
    char memory[USER_ENTRY_SIZE];
    struct passwd entry, *found = NULL;
    uid_t user = geteuid();
    if (getpwuid_r(user, &entry, memory, sizeof memory, &found) == 0 && found != NULL)
        buffer_append_string(text, found->pw_name);
    else
        buffer_append_format(text, "%u", (unsigned)user);
}

/* `what`: "state directory"; `key` is the one that names it. */
static void check_folder(const char *what, const char *key, const char *path, struct buffer *report)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (there && S_ISDIR(status.st_mode) && eaccess(path, W_OK | X_OK) == 0)
        return;
    int error = errno;
    struct buffer user = {0};
    append_user(&user);
    buffer_append_format(report, "warning: the %s %s ", what, path);
    if (there && !S_ISDIR(status.st_mode))
        buffer_append_format(report,
                             "is no folder; move it away and make one for user %s, or change %s",
                             user.data, key);
    else if (!there && error == ENOENT)
        buffer_append_format(report,
                             "does not exist; make it for user %s: install -d -o %s -m 751 %s",
                             user.data, user.data, path);
    else if (!there)
        buffer_append_format(report,
                             "cannot be reached by user %s: %s; let that user search the folders "
                             "above it, or change %s",
                             user.data, strerror(error), key);
    else if (error == EROFS)
        buffer_append_format(report, "cannot be written by user %s: %s; mount it for writing",
                             user.data, strerror(error));
    else
        buffer_append_format(report, "cannot be written by user %s: %s; chown %s %s", user.data,
                             strerror(error), user.data, path);
    buffer_append_char(report, '\n');
    buffer_release(&user);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folders below which mail is delivered, each once. */
static size_t list_mail_folders(const struct config *config, char **roots)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < config->mailbox_count; i++) {
        const struct config_mailbox_settings *settings = config->mailboxes[i].settings;
        if (settings->incoming)
            roots[count++] = config_maildir_root(settings);
    }
    qsort(roots, count, sizeof *roots, compare_paths);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(roots[kept - 1], roots[i]) == 0)
            memory_free(roots[i]);
        else
            roots[kept++] = roots[i];
    }
    return kept;
}

void check_folders(const struct config *config, const struct unit_file *unit, struct buffer *report)
{
    char **folders = memory_allocate_array(config->mailbox_count + 1, sizeof *folders);
    folders[0] = memory_copy_string(service_state_directory(config));
    size_t count = 1 + list_mail_folders(config, folders + 1);
    for (size_t i = 0; i < count; i++)
        check_folder(i == 0 ? "state directory" : "mail folder",
                     i == 0 ? "state_directory" : "deliver", folders[i], report);
    check_sandbox(unit, (const char *const *)folders, count, report);
    for (size_t i = 0; i < count; i++)
        memory_free(folders[i]);
    memory_free(folders);
}
