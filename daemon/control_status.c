/* How the daemon is: first the counts, then the profiles, then mailboxes.
 *
 *   status {"mailboxes": MOST}   MOST (20 when it is missing): if the configuration has no more
 *       mailboxes than that, all are told, otherwise so many at most of those that are failing or
 *       stopped
 *
 * The first answer ("kind": "status"):
 *   version     the daemon's
 *   now         its time, xs:dateTime in UTC
 *   profiles    how many there are
 *   mailboxes   {"configured", "ok", "not_run", "failing", "stopped", "held", "off",
 *               "disabled", "partly_disabled", "paused"}: how many are how (health.h)
 *   cycles      {"running", "queued"}
 *   queued      messages that wait to be sent; null: the store cannot be read
 *   queued_held messages that are held; null as above
 *   refused     messages that were refused when they were submitted, and whose file is in failed/
 *               still (refusals.h); null as above
 *   outbox_unknown  messages of the outbox that the database does not know, as it was lost or an
 *               older one put in its place; exsyncctl verify --all --repair deals with them
 *   alerts      {"errors", "warnings", "messages"} that are open; each null as above. messages: of
 *               the errors those of a message that could not be taken or sent
 *   storage     what stands in the way of this machine's disk or database (failure_json.h); null:
 *               nothing
 *   reload_refused  since when the configuration that was read last is not in use; null: it is
 *   reload_error    why it is not, besides mistakes: what the database said when it was asked last
 *               (error_json of failure_json.h); null: it has mistakes, or is in use
 *   reload_under_way  {"since", "waits_for": for people, "late": for more than a minute}; null:
 *               none is
 *   told        "all" when all mailboxes follow; "trouble" when only those in trouble do
 * then profiles (profile_json.h) and mailboxes (mailbox_json.h) by their names. */
#include "daemon/control_commands.h"
#include "daemon/failure_json.h"
#include "daemon/health.h"
#include "daemon/json_member.h"
#include "daemon/view.h"

#include "base/clock.h"

enum {
    MAILBOXES_TOLD = 20,
    COUNTED_A_SLICE = CONTROL_SLICE, /* counting is quick */
    TOLD_A_SLICE = 100,
};

enum status_part { STATUS_COUNTS, STATUS_PROFILES, STATUS_MAILBOXES };

struct status_view {
    struct view view;
    enum status_part part;
    bool all;      /* all mailboxes are told */
    uint64_t most; /* mailboxes that are told */
    uint64_t told; /* of these */
    uint32_t mailboxes[HEALTH_COUNT];
    uint32_t running, queued;
};

/* --- counts --- */

static void count_direction(struct status_view *status, const struct direction *direction)
{
    status->running += direction->state == DIRECTION_RUNNING;
    status->queued += direction->state == DIRECTION_READY;
}

static void count_mailbox(struct view *view, const struct mailbox *mailbox)
{
    struct status_view *status = (struct status_view *)view;
    status->mailboxes[health_of(mailbox, &view->service->scheduler)]++;
    count_direction(status, &mailbox->incoming);
    count_direction(status, &mailbox->outgoing);
}

static json_t *mailboxes_json(const struct status_view *status)
{
    const uint32_t *mailboxes = status->mailboxes;
    json_t *object = json_object();
    uint32_t configured = 0;
    for (size_t i = 0; i < HEALTH_COUNT; i++)
        configured += mailboxes[i];
    json_set_number(object, "configured", configured);
    json_set_number(object, "ok", mailboxes[HEALTH_OK]);
    json_set_number(object, "not_run", mailboxes[HEALTH_NOT_RUN]);
    json_set_number(object, "failing", mailboxes[HEALTH_FAILING]);
    json_set_number(object, "stopped", mailboxes[HEALTH_STOPPED]);
    json_set_number(object, "held", mailboxes[HEALTH_HELD]);
    json_set_number(object, "off", mailboxes[HEALTH_OFF]);
    json_set_number(object, "disabled", mailboxes[HEALTH_DISABLED]);
    json_set_number(object, "partly_disabled", mailboxes[HEALTH_PARTLY_DISABLED]);
    json_set_number(object, "paused", mailboxes[HEALTH_PAUSED]);
    return object;
}

static json_t *cycles_json(const struct status_view *status)
{
    json_t *object = json_object();
    json_set_number(object, "running", status->running);
    json_set_number(object, "queued", status->queued);
    return object;
}

static json_t *alerts_json(const struct view *view)
{
    json_t *object = json_object();
    json_object_set_new(object, "errors", view_number(view, view->numbers.errors));
    json_object_set_new(object, "warnings", view_number(view, view->numbers.warnings));
    json_object_set_new(object, "messages", view_number(view, view->numbers.item_errors));
    return object;
}

static json_t *reload_json(const struct service *service)
{
    const struct reload_wait wait = reload_wait(service);
    if (wait.since_ms == 0)
        return json_null();
    json_t *object = json_object();
    json_set_time(object, "since", wait.since_ms);
    json_set_text(object, "waits_for", wait.what);
    json_object_set_new(object, "late", json_boolean(wait.late));
    return object;
}

static json_t *storage_json(const struct gate *storage)
{
    if (storage->state == GATE_OPEN)
        return json_null();
    return trouble_json(&storage->failure, storage->failures, storage->closed_ms);
}

static void tell_counts(struct status_view *status)
{
    struct view *view = &status->view;
    const struct config *config = view->service->configuration->config;
    status->all = config->mailbox_count <= status->most;
    json_t *object = json_object();
    json_set_text(object, "kind", "status");
    json_set_text(object, "version", EXSYNC_VERSION);
    json_set_time(object, "now", clock_wall_ms());
    json_set_number(object, "profiles", config->profile_count);
    json_object_set_new(object, "mailboxes", mailboxes_json(status));
    json_object_set_new(object, "cycles", cycles_json(status));
    json_object_set_new(object, "queued", view_number(view, view->numbers.waiting));
    json_object_set_new(object, "queued_held", view_number(view, view->numbers.held));
    json_object_set_new(object, "refused", view_number(view, view->numbers.refused));
    json_set_number(object, "outbox_unknown", intake_unknown(view->service->intake));
    json_object_set_new(object, "alerts", alerts_json(view));
    json_set_time(object, "reload_refused", view->service->reload_refused_ms);
    json_object_set_new(object, "reload_error", error_json(&view->service->reload_failure));
    json_object_set_new(object, "reload_under_way", reload_json(view->service));
    json_object_set_new(object, "storage", storage_json(&view->service->scheduler.storage));
    json_set_text(object, "told", status->all ? "all" : "trouble");
    control_reply(view->request, object);
}

/* --- mailboxes --- */

static void tell_mailbox(struct view *view, const struct mailbox *mailbox)
{
    struct status_view *status = (struct status_view *)view;
    bool wanted = status->all || health_is_trouble(health_of(mailbox, &view->service->scheduler));
    if (!wanted || status->told >= status->most)
        return;
    status->told++;
    control_reply(view->request, view_mailbox(view, mailbox));
}

static enum view_slice mailboxes_slice(struct status_view *status)
{
    if (status->told >= status->most)
        return VIEW_LAST;
    return view_walk(&status->view, TOLD_A_SLICE, tell_mailbox) ? VIEW_MORE : VIEW_LAST;
}

static enum view_slice status_slice(struct view *view)
{
    struct status_view *status = (struct status_view *)view;
    switch (status->part) {
    case STATUS_COUNTS:
        if (!view_walk(view, COUNTED_A_SLICE, count_mailbox)) {
            tell_counts(status);
            status->part = STATUS_PROFILES;
        }
        return VIEW_MORE;
    case STATUS_PROFILES:
        if (!view_tell_profiles(view))
            status->part = STATUS_MAILBOXES;
        return VIEW_MORE;
    case STATUS_MAILBOXES:
        break;
    }
    return mailboxes_slice(status);
}

static void status_start(struct control_request *request)
{
    struct status_view *status = view_start(sizeof *status, request, status_slice);
    const json_t *most = json_object_get(control_arguments(request), "mailboxes");
    bool given = json_is_integer(most) && json_integer_value(most) >= 0;
    status->most = given ? (uint64_t)json_integer_value(most) : MAILBOXES_TOLD;
}

const struct control_command control_status_commands[] = {
    {"status", status_start},
    {NULL, NULL},
};
