/* backup: a copy of the database that can be put back. Asks no daemon: it works whether one runs or
 * not, for whoever may read the database. */
#include "base/buffer.h"
#include "base/clock.h"
#include "config/config.h"
#include "daemon/service.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_copy.h"
#include "tools/exsyncctl_output.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void show(struct exsyncctl *tool, const struct copy *copy, int64_t milliseconds)
{
    char duration[OUTPUT_TIME_SIZE];
    if (tool->json) {
        json_t *object =
            json_pack("{s:s,s:s,s:I,s:I}", "kind", "backup", "file", copy->target, "bytes",
                      (json_int_t)copy->size, "milliseconds", (json_int_t)milliseconds);
        exsyncctl_print_json(object);
        json_decref(object);
        return;
    }
    output_duration(duration, milliseconds);
    printf("%s: %" PRIu64 " bytes in %s, checked\n", copy->target, copy->size, duration);
}

static int run_backup(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    if (strcmp(arguments[0], "-") == 0)
        return exsyncctl_misused(tool, "a backup goes into a file, not to standard output");
    struct buffer report = {0}, source = {0};
    struct config *config = config_load(tool->config_path, &report);
    if (config == NULL)
        exsyncctl_warn(tool,
                       "%s cannot be used (exsyncd --check-config tells why); looking into %s",
                       tool->config_path, service_state_directory(NULL));
    buffer_append_format(&source, "%s/exsyncd.db", service_state_directory(config));
    struct copy copy = {.source = buffer_string(&source),
                        .target = arguments[0],
                        .replace = exsyncctl_flag(tool, "force")};
    int64_t begin = (int64_t)clock_monotonic_ms();
    int status = EX_OK;
    if (copy_make(&copy))
        show(tool, &copy, (int64_t)clock_monotonic_ms() - begin);
    else
        status = exsyncctl_fail(tool, copy.status, "%s", copy.problem);
    config_free(config);
    buffer_release(&source);
    buffer_release(&report);
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
