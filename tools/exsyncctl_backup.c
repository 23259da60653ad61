/* backup: a copy of the database that can be put back. Asks no daemon: it works whether one runs or
 * not, for whoever may read the database. */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/shell_word.h"
#include "config/config.h"
#include "control/control.h"
#include "daemon/json_member.h"
#include "daemon/service.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_config.h"
#include "tools/exsyncctl_copy.h"
#include "tools/exsyncctl_output.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static void show(struct exsyncctl *tool, const struct copy *copy, int64_t milliseconds)
{
    char duration[OUTPUT_TIME_SIZE];
    if (tool->json) {
        json_t *object =
            json_pack("{s:s,s:o,s:I,s:I}", "kind", "backup", "file", json_text(copy->target),
                      "bytes", (json_int_t)copy->size, "milliseconds", (json_int_t)milliseconds);
        exsyncctl_print_json(object);
        json_decref(object);
        return;
    }
    output_duration(duration, milliseconds);
    output_print(tool, OUTPUT_PLAIN, "%s: %" PRIu64 " bytes in %s, checked\n", copy->target,
                 copy->size, duration);
}

static int refuse(struct exsyncctl *tool, const char *path)
{
    return exsyncctl_fail(
        tool, EX_NOPERM,
        "you may not read %s, and a backup is read from the disk, not asked of exsyncd; run it as "
        "root (sudo exsyncctl backup FILE) or as the user that exsyncd runs as: the "
        "group " CONTROL_GROUP " gives the right to ask exsyncd, and none to its files",
        path);
}

/* Where the database is; the caller's. It is guessed when the configuration has mistakes: a backup
 * that fails for them each night is none. Returns EX_OK, or why it cannot be told, which was. */
static int find_database(struct exsyncctl *tool, struct buffer *path)
{
    struct buffer report = {0}, why = {0};
    char *folder = NULL;
    int status = EX_OK;
    if (!config_read_state_directory(tool->config_path, &folder, &report))
        status = configuration_problem(tool, &report, &why);
    if (status == EX_NOPERM)
        refuse(tool, tool->config_path);
    else if (status != EX_OK)
        exsyncctl_warn(tool, "looking into %s, as the configuration cannot be used: %s",
                       service_state_directory(NULL), buffer_string(&why));
    buffer_append_format(path, "%s/exsyncd.db",
                         folder != NULL ? folder : service_state_directory(NULL));
    memory_free(folder);
    buffer_release(&report);
    buffer_release(&why);
    return status == EX_NOPERM ? status : EX_OK;
}

/* What SQLite says of a file that may not be read does not tell it from one that is damaged. */
static int check_source(struct exsyncctl *tool, const char *path)
{
    bool denied = access(path, R_OK) < 0 && errno == EACCES;
    return denied ? refuse(tool, path) : EX_OK;
}

/* SQLite and the daemon look beside the database for files that begin with its name. */
static bool is_of_database(const char *source, const char *target, const struct stat *folder)
{
    struct stat status;
    const char *name = strrchr(target, '/'), *own = strrchr(source, '/');
    char *copy = memory_copy_string(source);
    bool beside = stat(dirname(copy), &status) == 0 && status.st_dev == folder->st_dev &&
                  status.st_ino == folder->st_ino;
    memory_free(copy);
    name = name == NULL ? target : name + 1;
    return beside && strncmp(name, own + 1, strlen(own + 1)) == 0;
}

static int check_target(struct exsyncctl *tool, const char *source, const char *target)
{
    struct buffer word = {0};
    struct stat status;
    char *copy = memory_copy_string(target);
    const char *folder = dirname(copy);
    int error = stat(folder, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    int result = EX_OK;
    shell_word_append(&word, folder);
    if (error == ENOENT)
        result = exsyncctl_fail(tool, EX_CANTCREAT,
                                "there is no folder %s; make it with: install -d -m 700 %s", folder,
                                word.data);
    else if (error == ENOTDIR)
        result = exsyncctl_fail(tool, EX_CANTCREAT,
                                "%s is no folder; name a file that is to be made in one", folder);
    else if (error == 0 && is_of_database(source, target, &status))
        result =
            exsyncctl_fail(tool, EX_CANTCREAT,
                           "%s is the database itself, or would be taken for a part of it; name "
                           "another file",
                           target);
    buffer_release(&word);
    memory_free(copy);
    return result;
}

static int copy_to(struct exsyncctl *tool, const char *source, const char *target)
{
    struct copy copy = {
        .source = source, .target = target, .replace = exsyncctl_flag(tool, "force")};
    int64_t begin = (int64_t)clock_monotonic_ms();
    if (!copy_make(&copy))
        return exsyncctl_fail(tool, copy.status, "%s", copy.problem);
    show(tool, &copy, (int64_t)clock_monotonic_ms() - begin);
    return EX_OK;
}

static int run_backup(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    const char *target = arguments[0];
    if (strcmp(target, "-") == 0)
        return exsyncctl_misused(tool, "a backup goes into a file, not to standard output");
    if (target[strlen(target) - 1] == '/') /* an empty one is no argument */
        return exsyncctl_misused(tool, "\"%s\" is no name of a file", target);
    struct buffer source = {0};
    int status = find_database(tool, &source);
    if (status == EX_OK)
        status = check_source(tool, buffer_string(&source));
    if (status == EX_OK)
        status = check_target(tool, buffer_string(&source), target);
    if (status == EX_OK)
        status = copy_to(tool, buffer_string(&source), target);
    buffer_release(&source);
    return status;
}

static const struct exsyncctl_option backup_options[] = {
    {"force", NULL, "replace FILE if it is there"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_backup_commands[] = {
    {"backup", "FILE", "copy the database into a file, while exsyncd runs or not", backup_options,
     1, 1, run_backup},
    {.name = NULL},
};
