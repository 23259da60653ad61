#include "tools/exsyncctl_offline.h"

#include "base/buffer.h"
#include "base/executor.h"
#include "config/config.h"
#include "daemon/alert_json.h"
#include "daemon/failure_json.h"
#include "daemon/service.h"
#include "store/store_failures.h"
#include "tools/exsyncctl_config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { ROWS_A_PAGE = 100 };

struct offline {
    struct exsyncctl *tool;
    struct executor *executor;
    struct store *store;
    struct config *config;
    enum offline_what what;
    bool all;
    int64_t position; /* of the next page, or the id of the one alert */
    uint64_t refused;
    size_t told;
    struct failure failure;
    void (*take)(struct exsyncctl *tool, const json_t *answer, void *argument);
    void *argument;
};

static void tell(struct offline *offline, json_t *answer)
{
    if (offline->tool->json)
        exsyncctl_print_json(answer);
    else
        offline->take(offline->tool, answer, offline->argument);
    json_decref(answer);
    offline->told++;
}

/* --- pages --- */

static void end(struct offline *offline, const struct failure *failure)
{
    if (failure != NULL)
        offline->failure = *failure;
    executor_stop(offline->executor);
}

static void refused_counted(void *argument, const struct failure *failure)
{
    struct offline *offline = argument;
    if (failure == NULL && offline->refused > 0)
        tell(offline, alert_json_refused(offline->refused));
    end(offline, failure);
}

static void alerts_read(void *argument, const struct failure *failure,
                        const struct store_alert_rows *alerts)
{
    struct offline *offline = argument;
    if (failure != NULL) {
        end(offline, failure);
        return;
    }
    for (size_t i = 0; i < alerts->count; i++)
        tell(offline,
             alert_json_answer(&alerts->rows[i], offline->config, alerts->rows[i].mailbox));
    if (offline->what == OFFLINE_ONE_ALERT) {
        end(offline, NULL);
        return;
    }
    if (alerts->count < ROWS_A_PAGE) {
        store_failures_count_refused(offline->store, &offline->refused, refused_counted, offline);
        return;
    }
    offline->position = alerts->rows[alerts->count - 1].id;
    store_alerts_list(offline->store, offline->all, offline->position, ROWS_A_PAGE, alerts_read,
                      offline);
}

static void failures_read(void *argument, const struct failure *failure,
                          const struct store_failure_rows *failures)
{
    struct offline *offline = argument;
    for (size_t i = 0; failure == NULL && i < failures->count; i++)
        tell(offline, failure_json(&failures->rows[i]));
    if (failure != NULL || failures->position == 0) {
        end(offline, failure);
        return;
    }
    store_failures_list(offline->store, offline->all, failures->position, ROWS_A_PAGE,
                        failures_read, offline);
}

static void read_all(struct offline *offline)
{
    switch (offline->what) {
    case OFFLINE_ALERTS:
        store_alerts_list(offline->store, offline->all, 0, ROWS_A_PAGE, alerts_read, offline);
        break;
    case OFFLINE_ONE_ALERT:
        store_alert_find(offline->store, offline->position, alerts_read, offline);
        break;
    case OFFLINE_FAILURES:
        store_failures_list(offline->store, offline->all, 0, ROWS_A_PAGE, failures_read, offline);
        break;
    }
    executor_run(offline->executor);
}

/* --- the database --- */

/* What stays until a person acts lies in the file: damage, another program's, another version. */
static int failed(struct offline *offline, const char *directory)
{
    const struct failure *failure = &offline->failure;
    int status = failure->permanent ? EX_DATAERR : EX_UNAVAILABLE;
    return exsyncctl_fail(offline->tool, strcmp(failure->code, "EACCES") == 0 ? EX_NOPERM : status,
                          "exsyncd does not run, and its database in %s cannot be read: %s (%s) %s",
                          directory, failure->sentence == NULL ? "" : failure->sentence,
                          failure->text, failure->remedy == NULL ? "" : failure->remedy);
}

/* store_open would make one where there is none. Returns 0, or the errno. */
static int find_database(const char *directory)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/exsyncd.db", directory);
    int error = access(path.data, F_OK) == 0 ? 0 : errno;
    buffer_release(&path);
    return error;
}

static int not_found(struct exsyncctl *tool, const char *directory, int error)
{
    if (error == EACCES)
        return exsyncctl_fail(tool, EX_NOPERM,
                              "exsyncd does not run, and you may not look for its database in %s; "
                              "become root, or the user whom exsyncd runs as",
                              directory);
    return exsyncctl_fail(tool, EX_UNAVAILABLE,
                          "exsyncd does not run, and there is no database in %s (%s); start "
                          "exsyncd, or name its configuration with --config FILE",
                          directory, strerror(error));
}

static int read_database(struct offline *offline, const char *directory)
{
    struct exsyncctl *tool = offline->tool;
    int error = find_database(directory);
    if (error != 0)
        return not_found(tool, directory, error);
    offline->executor = executor_create();
    offline->store = store_open_as_it_is(directory, offline->executor, &offline->failure);
    if (offline->store != NULL) {
        exsyncctl_warn(tool, "exsyncd does not run; this is what its database in %s tells",
                       directory);
        read_all(offline);
        store_close(offline->store);
    }
    executor_free(offline->executor);
    if (failure_is_set(&offline->failure))
        return failed(offline, directory);
    if (offline->what == OFFLINE_ONE_ALERT && offline->told == 0)
        return exsyncctl_fail(tool, EX_NOUSER,
                              "there is no alert %" PRId64
                              "; exsyncctl alerts --all shows those that there are",
                              offline->position);
    return EX_OK;
}

/* The database of another folder would tell of another daemon. */
static int without_configuration(struct exsyncctl *tool, const struct buffer *report)
{
    struct buffer why = {0};
    int status = configuration_problem(tool, report, &why);
    exsyncctl_fail(tool, status,
                   "exsyncd does not run, and where its database is cannot be told without its "
                   "configuration: %s",
                   buffer_string(&why));
    buffer_release(&why);
    return status;
}

int offline_read(struct exsyncctl *tool, enum offline_what what, bool all, int64_t alert,
                 void (*take)(struct exsyncctl *tool, const json_t *answer, void *argument),
                 void *argument)
{
    struct buffer report = {0};
    int status;
    struct offline offline = {.tool = tool,
                              .config = config_load(tool->config_path, &report),
                              .what = what,
                              .all = all,
                              .position = alert,
                              .take = take,
                              .argument = argument};
    if (offline.config == NULL)
        status = without_configuration(tool, &report);
    else
        status = read_database(&offline, service_state_directory(offline.config));
    config_free(offline.config);
    buffer_release(&report);
    return status;
}
