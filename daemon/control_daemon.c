/* The daemon itself.
 *
 * version  {"kind": "version", "exsyncd": "0.1.0", "control": 1, "process": 4711}
 *
 * reload   waits until the configuration is in use, or is not:
 *          {"kind": "mistake", "text": "FILE:LINE: ..."}   each as --check-config tells it
 *          {"kind": "warning", "text": "FILE:LINE: ..."}
 *          {"kind": "configuration", "path": "...", "mailboxes": 3, "profiles": 1}
 *          The last one only when it is in use. Errors: Mistakes, ReloadFailed. */
#include "base/memory.h"
#include "base/text.h"
#include "control/control.h"
#include "daemon/control_commands.h"
#include "daemon/service_private.h"

#include <stddef.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void start_version(struct control_request *request)
{
    control_reply(request,
                  json_pack("{s:s,s:s,s:i,s:i}", "kind", "version", "exsyncd", EXSYNC_VERSION,
                            "control", CONTROL_VERSION, "process", (int)getpid()));
    control_end(request);
}

/* --- reload --- */

enum { LINE_SIZE = 1024 };

struct reload_request {
    struct reload_waiter waiter;
    struct control_request *request;
};

static void reply_line(struct control_request *request, const char *line, size_t length)
{
    char text[LINE_SIZE];
    bool warning = config_is_warning(line, length);
    text_copy_line(text, sizeof text, line, length);
    control_reply(request,
                  json_pack("{s:s,s:s}", "kind", warning ? "warning" : "mistake", "text", text));
}

/* As much as the client has room for: nobody reads a thousand mistakes at once. */
static void reply_report(struct control_request *request, const char *report)
{
    size_t untold = 0;
    while (*report != '\0') {
        size_t length = strcspn(report, "\n");
        if (control_ready(request))
            reply_line(request, report, length);
        else
            untold++;
        report += length + (report[length] == '\n');
    }
    if (untold > 0)
        control_reply(request, json_pack("{s:s,s:o}", "kind", "mistake", "text",
                                         json_sprintf("and %zu more; exsyncd --check-config tells "
                                                      "all",
                                                      untold)));
}

static void reloaded(struct reload_waiter *waiter, const struct reload_result *result)
{
    struct reload_request *reload = (struct reload_request *)waiter;
    struct control_request *request = reload->request;
    const struct service *service = control_service(request);
    const struct failure *failure = result->failure;
    memory_free(reload);
    reply_report(request, result->report);
    if (result->taken) {
        const struct config *config = service->configuration->config;
        control_reply(request, json_pack("{s:s,s:s,s:I,s:I}", "kind", "configuration", "path",
                                         service->config_path, "mailboxes",
                                         (json_int_t)config->mailbox_count, "profiles",
                                         (json_int_t)config->profile_count));
        control_end(request);
    } else if (failure != NULL) {
        control_fail(request, EX_TEMPFAIL, "ReloadFailed",
                     "the configuration was not reloaded, the one in use stays: %s (%s): %s. When "
                     "that is mended: exsyncctl reload",
                     failure->sentence == NULL ? "" : failure->sentence, failure->code,
                     failure->text);
    } else {
        control_fail(request, EX_CONFIG, "Mistakes",
                     "the configuration has mistakes, the one in use stays; mend them where they "
                     "are said to stand, and reload again");
    }
}

static void reload_gone(void *state)
{
    struct reload_request *reload = state;
    LIST_REMOVE(&reload->waiter, entries);
    memory_free(reload);
}

static void start_reload(struct control_request *request)
{
    struct reload_request *reload = memory_allocate(sizeof *reload);
    reload->waiter.done = reloaded;
    reload->request = request;
    control_keep(request, reload, reload_gone);
    reload_start_and_tell(control_service(request), &reload->waiter);
}

const struct control_command control_daemon_commands[] = {
    {"version", start_version},
    {"reload", start_reload},
    {NULL, NULL},
};
