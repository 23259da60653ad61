/* What went wrong.
 *
 *   alerts   {"all": true}   open alerts (all: those too that are over), the newest first: "kind":
 *            "alert", as alert_json.h describes them; and {"kind": "refused", "messages": 2} where
 *            messages were refused when they were submitted (refusals.h), of which no alert tells
 *            {"alert": ID}   the one of that id. "NoSuchAlert"
 *   failures {"all": true}   open failures (all: as above), the newest first: as failure_json.h
 *            describes them */
#include "daemon/alert_json.h"
#include "daemon/control_commands.h"
#include "daemon/failure_json.h"
#include "daemon/service_private.h"
#include "store/store_failures.h"

#include "base/memory.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

enum { ROWS_A_PAGE = 50 };

struct list {
    struct control_request *request; /* NULL: the client is gone */
    struct store *store;
    bool reading;
    bool all;
    int64_t id;       /* of the only one that is wanted; 0: all */
    int64_t position; /* where the next page begins */
    uint64_t refused;
};

static void list_read_alerts(struct control_request *request);
static void list_read_failures(struct control_request *request);

static void list_gone(void *argument)
{
    struct list *list = argument;
    list->request = NULL;
    if (!list->reading)
        memory_free(list);
}

static struct list *list_start(struct control_request *request)
{
    struct list *list = memory_allocate(sizeof *list);
    list->request = request;
    list->store = control_service(request)->context.store;
    list->all = control_flag(request, "all");
    control_keep(request, list, list_gone);
    return list;
}

/* A page has been read. False: nobody waits for it, or it could not be; the list is no more. */
static bool list_goes_on(struct list *list, const struct failure *failure)
{
    list->reading = false;
    struct control_request *request = list->request;
    if (request != NULL && failure == NULL)
        return true;
    memory_free(list);
    if (request != NULL)
        control_fail(request, EX_TEMPFAIL, "Storage", "%s (%s) %s", failure->sentence,
                     failure->text, failure->remedy);
    return false;
}

static void list_end(struct list *list)
{
    struct control_request *request = list->request;
    memory_free(list);
    control_end(request);
}

/* --- alerts --- */

/* One that stands for its mailboxes has the first of those that are stopped as its example. */
static const char *example_of(const struct service *service, const struct store_alert_row *alert)
{
    for (size_t i = 0; alert->absorbs && i < service->mailbox_count; i++) {
        const struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->stopped && !mailbox->removed &&
            strcmp(mailbox->profile->config->name, alert->profile) == 0)
            return mailbox_address(mailbox);
    }
    return alert->mailbox;
}

static json_t *alert_of(const struct service *service, const struct store_alert_row *alert)
{
    return alert_json_answer(alert, service->configuration->config, example_of(service, alert));
}

static void refused_counted(void *argument, const struct failure *failure)
{
    struct list *list = argument;
    if (!list_goes_on(list, failure))
        return;
    if (list->refused > 0)
        control_reply(list->request, alert_json_refused(list->refused));
    list_end(list);
}

static void alerts_read(void *argument, const struct failure *failure,
                        const struct store_alert_rows *alerts)
{
    struct list *list = argument;
    if (!list_goes_on(list, failure))
        return;
    const struct service *service = control_service(list->request);
    for (size_t i = 0; i < alerts->count; i++)
        control_reply(list->request, alert_of(service, &alerts->rows[i]));
    if (alerts->count < ROWS_A_PAGE) {
        list->reading = true;
        store_failures_count_refused(list->store, &list->refused, refused_counted, list);
        return;
    }
    list->position = alerts->rows[alerts->count - 1].id;
    control_on_ready(list->request, list_read_alerts);
}

static void list_read_alerts(struct control_request *request)
{
    struct list *list = control_state(request);
    list->reading = true;
    store_alerts_list(list->store, list->all, list->position, ROWS_A_PAGE, alerts_read, list);
}

static void alert_found(void *argument, const struct failure *failure,
                        const struct store_alert_rows *alerts)
{
    struct list *list = argument;
    if (!list_goes_on(list, failure))
        return;
    if (alerts->count > 0) {
        control_reply(list->request, alert_of(control_service(list->request), &alerts->rows[0]));
        list_end(list);
        return;
    }
    struct control_request *request = list->request;
    int64_t id = list->id;
    memory_free(list);
    control_fail(request, EX_NOUSER, "NoSuchAlert",
                 "there is no alert %" PRId64 "; exsyncctl alerts --all shows those that there are",
                 id);
}

static void alerts_start(struct control_request *request)
{
    const json_t *id = json_object_get(control_arguments(request), "alert");
    struct list *list = list_start(request);
    if (!json_is_integer(id)) {
        list_read_alerts(request);
        return;
    }
    list->id = json_integer_value(id);
    list->reading = true;
    store_alert_find(list->store, list->id, alert_found, list);
}

/* --- failures --- */

static void failures_read(void *argument, const struct failure *failure,
                          const struct store_failure_rows *failures)
{
    struct list *list = argument;
    if (!list_goes_on(list, failure))
        return;
    for (size_t i = 0; i < failures->count; i++)
        control_reply(list->request, failure_json(&failures->rows[i]));
    list->position = failures->position;
    if (list->position == 0)
        list_end(list);
    else
        control_on_ready(list->request, list_read_failures);
}

static void list_read_failures(struct control_request *request)
{
    struct list *list = control_state(request);
    list->reading = true;
    store_failures_list(list->store, list->all, list->position, ROWS_A_PAGE, failures_read, list);
}

static void failures_start(struct control_request *request)
{
    list_start(request);
    list_read_failures(request);
}

const struct control_command control_alert_commands[] = {
    {"alerts", alerts_start},
    {"failures", failures_start},
    {NULL, NULL},
};
