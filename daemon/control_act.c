/* What an administrator switches, and what is delivered again.
 *
 * enable, disable   {"command": "enable", "address": "ANN@contoso.com"}
 *     and "incoming": true or "outgoing": true; neither means both.
 *
 *     {"kind": "switched", "address": "...", "profile": "...", "enabled": false,
 *      "directions": ["incoming", "outgoing"], "off": ["outgoing"], "changed": true,
 *      "since": "...", "user": 0, "alerts_resolved": 1, "running": false, "paused": false}
 *
 *     directions  that were switched; of all that are enabled, those that are configured
 *     off         those of them that the configuration does not want
 *     changed     one of them was not so before
 *     since, user when they are disabled, the first of them: since when, and by whom; null
 *     running     a cycle still ends what it has begun
 *     paused      the profile is
 *
 *     Errors: NoSuchMailbox, NotConfigured.
 *
 * pause, resume   {"command": "pause", "profile": "NAME"}
 *
 *     {"kind": "paused", "profile": "...", "paused": true, "changed": true, "since": "...",
 *      "running": false}
 *
 *     changed     it was not so before
 *     since       null when it is not paused
 *     running     cycles still end what they have begun
 *
 *     Errors: NoSuchProfile.
 *
 * redeliver   {"command": "redeliver", "address": "...", "since": "2026-01-31T00:00:00Z",
 *              "dry_run": true}
 *
 *     {"kind": "redelivery", "address": "...", "since": "...", "asked_for": "...", "messages": 12,
 *      "dry_run": true, "after_processing": "leave", "enabled": true}
 *     {"kind": "forgotten", "messages": 12}
 *
 *     The first once it is counted; since: no earlier than the first mail that the mailbox takes
 *     (process_email_from), whatever time was asked_for;
 *     enabled: incoming is. The second once the ledger has forgotten them; not with dry_run, nor
 *     when there are none.
 *
 *     Errors: NoSuchMailbox, NotConfigured, BadTime, Busy, Redelivering (another one is). */
#include "base/clock.h"
#include "base/memory.h"
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/json_member.h"
#include "daemon/profile.h"
#include "daemon/redelivery.h"
#include "daemon/switch.h"

#include <string.h>
#include <sysexits.h>

/* False with the end of the request when the configuration does not have the direction. */
static bool check_configured(struct control_request *request, const struct mailbox *mailbox,
                             enum cycle_direction kind, const char *what)
{
    if (mailbox_is_configured(mailbox, kind))
        return true;
    const char *direction = cycle_direction_name(kind);
    control_fail(request, EX_CONFIG, "NotConfigured",
                 "%s: %s: the configuration says %s = no, in [mailbox %s] or, when that does not "
                 "name it, in [mailbox-defaults] or by default; set %s = yes there, in %s or its "
                 "conf.d, and run exsyncctl reload",
                 mailbox_address(mailbox), what, direction, mailbox_address(mailbox), direction,
                 control_service(request)->config_path);
    return false;
}

/* --- enable, disable, pause, resume --- */

enum { BOTH = STORE_INCOMING | STORE_OUTGOING };

/* What is asked for goes on when nobody waits for it any more. */
struct switch_request {
    struct switching switching;
    struct control_request *request; /* NULL: gone */
    unsigned directions;             /* that are told of */
    unsigned off;                    /* of these, those that are not configured */
};

static void switch_gone(void *state)
{
    struct switch_request *act = state;
    act->request = NULL;
}

static struct switch_request *switch_create(struct control_request *request, bool on,
                                            void (*done)(struct switching *switching,
                                                         const struct failure *failure))
{
    struct switch_request *act = memory_allocate(sizeof *act);
    act->request = request;
    act->switching = (struct switching){
        .service = control_service(request),
        .on = on,
        .user = control_user(request),
        .done = done,
        .argument = act,
    };
    control_keep(request, act, switch_gone);
    return act;
}

static json_t *directions_json(unsigned directions)
{
    json_t *array = json_array();
    if (directions & STORE_INCOMING)
        json_array_append_new(array, json_string("incoming"));
    if (directions & STORE_OUTGOING)
        json_array_append_new(array, json_string("outgoing"));
    return array;
}

/* The first of the directions that are told of, while it is disabled; NULL. */
static const struct direction *disabled_direction(const struct switch_request *act)
{
    const struct service *service = act->switching.service;
    const struct mailbox *mailbox = service_mailbox(service, act->switching.name);
    if (mailbox == NULL)
        return NULL;
    if ((act->directions & STORE_INCOMING) && mailbox->incoming.switched_off)
        return &mailbox->incoming;
    return (act->directions & STORE_OUTGOING) && mailbox->outgoing.switched_off ? &mailbox->outgoing
                                                                                : NULL;
}

static json_t *switched_json(const struct switch_request *act)
{
    const struct switching *switching = &act->switching;
    const struct direction *disabled = disabled_direction(act);
    bool paused = pauses_find(switching->service->pauses, switching->profile) != NULL;
    json_t *object = json_object();
    json_set_text(object, "kind", "switched");
    json_set_text(object, "address", switching->name);
    json_set_text(object, "profile", switching->profile);
    json_object_set_new(object, "enabled", json_boolean(switching->on));
    json_object_set_new(object, "directions", directions_json(act->directions));
    json_object_set_new(object, "off", directions_json(act->off));
    json_object_set_new(object, "changed", json_boolean(switching->changed));
    json_set_time(object, "since", disabled == NULL ? 0 : disabled->switched.since_ms);
    json_object_set_new(object, "user",
                        disabled == NULL ? json_null() : json_integer(disabled->switched.user));
    json_set_number(object, "alerts_resolved", switching->resolved.alerts);
    json_object_set_new(object, "running", json_boolean(switching->running));
    json_object_set_new(object, "paused", json_boolean(paused));
    return object;
}

static void mailbox_switched(struct switching *switching, const struct failure *failure)
{
    struct switch_request *act = switching->argument;
    struct control_request *request = act->request;
    if (request != NULL && failure != NULL) {
        control_fail_by(request, EX_TEMPFAIL, failure);
    } else if (request != NULL) {
        control_reply(request, switched_json(act));
        control_end(request);
    }
    memory_free(act);
}

static unsigned directions_asked(const struct control_request *request)
{
    return (control_flag(request, "incoming") ? STORE_INCOMING : 0u) |
           (control_flag(request, "outgoing") ? STORE_OUTGOING : 0u);
}

static unsigned directions_configured(const struct mailbox *mailbox)
{
    return (mailbox_is_configured(mailbox, CYCLE_INCOMING) ? STORE_INCOMING : 0u) |
           (mailbox_is_configured(mailbox, CYCLE_OUTGOING) ? STORE_OUTGOING : 0u);
}

static void start_switch(struct control_request *request, const struct mailbox *mailbox, bool on,
                         unsigned directions, unsigned told)
{
    struct switch_request *act = switch_create(request, on, mailbox_switched);
    act->directions = told;
    act->off = told & ~directions_configured(mailbox);
    switch_mailbox(&act->switching, mailbox, directions);
}

/* Without a direction all is enabled that the configuration has, now and later. */
static void start_enable(struct control_request *request)
{
    static const char cannot[] = "it cannot be enabled";
    unsigned asked = directions_asked(request);
    const struct mailbox *mailbox = control_mailbox(request);
    if (mailbox == NULL)
        return;
    unsigned configured = directions_configured(mailbox), missing = asked & ~configured;
    if ((missing & STORE_INCOMING) != 0 || configured == 0)
        check_configured(request, mailbox, CYCLE_INCOMING, cannot);
    else if (missing != 0)
        check_configured(request, mailbox, CYCLE_OUTGOING, cannot);
    else if (asked != 0)
        start_switch(request, mailbox, true, asked, asked);
    else
        start_switch(request, mailbox, true, BOTH, configured);
}

static void start_disable(struct control_request *request)
{
    unsigned asked = directions_asked(request);
    const struct mailbox *mailbox = control_mailbox(request);
    if (mailbox == NULL)
        return;
    if (asked == 0)
        asked = BOTH;
    start_switch(request, mailbox, false, asked, asked);
}

static json_t *since_json(const struct store_pause *pause)
{
    char text[CLOCK_TEXT_SIZE];
    if (pause == NULL)
        return json_null();
    clock_format_utc(pause->since_ms, text);
    return json_string(text);
}

static void profile_switched(struct switching *switching, const struct failure *failure)
{
    struct switch_request *act = switching->argument;
    struct control_request *request = act->request;
    const struct store_pause *pause = pauses_find(switching->service->pauses, switching->name);
    if (request != NULL && failure != NULL) {
        control_fail_by(request, EX_TEMPFAIL, failure);
    } else if (request != NULL) {
        control_reply(request, json_pack("{s:s,s:s,s:b,s:b,s:o,s:b}", "kind", "paused", "profile",
                                         switching->name, "paused", !switching->on, "changed",
                                         switching->changed, "since", since_json(pause), "running",
                                         switching->running));
        control_end(request);
    }
    memory_free(act);
}

/* One that is paused can be resumed though it has left the configuration. */
static void start_profile(struct control_request *request, bool on)
{
    struct service *service = control_service(request);
    const char *name = control_text(request, "profile");
    bool paused = name != NULL && pauses_find(service->pauses, name) != NULL;
    if (!(on && paused) && control_profile(request, name) == NULL)
        return;
    struct switch_request *act = switch_create(request, on, profile_switched);
    switch_profile(&act->switching, name);
}

static void start_pause(struct control_request *request)
{
    start_profile(request, false);
}

static void start_resume(struct control_request *request)
{
    start_profile(request, true);
}

/* --- redeliver --- */

struct redelivery_request {
    struct redelivery redelivery;
    struct control_request *request; /* NULL: gone */
    const char *after_processing;
    bool enabled;
    int64_t asked_for_ms;
    char *address;
};

static void redelivery_gone(void *state)
{
    struct redelivery_request *act = state;
    act->request = NULL;
    redelivery_cancel(&act->redelivery);
}

static void counted(struct redelivery *redelivery)
{
    const struct redelivery_request *act = redelivery->argument;
    char since[CLOCK_TEXT_SIZE], asked_for[CLOCK_TEXT_SIZE];
    clock_format_utc(redelivery->since_ms, since);
    clock_format_utc(act->asked_for_ms, asked_for);
    control_reply(act->request,
                  json_pack("{s:s,s:s,s:s,s:s,s:I,s:b,s:s,s:b}", "kind", "redelivery", "address",
                            act->address, "since", since, "asked_for", asked_for, "messages",
                            (json_int_t)redelivery->count, "dry_run", redelivery->dry_run,
                            "after_processing", act->after_processing, "enabled", act->enabled));
}

static void redelivered(struct redelivery *redelivery, const struct failure *failure)
{
    struct redelivery_request *act = redelivery->argument;
    struct control_request *request = act->request;
    if (request != NULL && failure != NULL) {
        control_fail_by(request, EX_TEMPFAIL, failure);
    } else if (request != NULL) {
        if (!redelivery->dry_run && redelivery->count > 0)
            control_reply(request, json_pack("{s:s,s:I}", "kind", "forgotten", "messages",
                                             (json_int_t)redelivery->count));
        control_end(request);
    }
    memory_free(act->address);
    memory_free(act);
}

static const char *after_processing_name(const struct mailbox *mailbox)
{
    static const char *const names[] = {
        [CONFIG_AFTER_LEAVE] = "leave", [CONFIG_AFTER_MARK_READ] = "mark_read",
        [CONFIG_AFTER_MOVE] = "move",   [CONFIG_AFTER_DELETE] = "delete",
        [CONFIG_AFTER_PURGE] = "purge",
    };
    return names[mailbox_settings(mailbox)->after_processing];
}

static void start_redeliver(struct control_request *request)
{
    int64_t since_ms;
    const struct mailbox *mailbox = control_mailbox(request);
    if (mailbox == NULL ||
        !check_configured(request, mailbox, CYCLE_INCOMING, "it receives no mail to redeliver"))
        return;
    const char *since = control_text(request, "since");
    if (since == NULL || clock_parse_utc(since, strlen(since), &since_ms) != 0) {
        control_fail(request, EX_USAGE, "BadTime",
                     "say since when, in UTC: 2026-01-31T08:00:00Z, or 2026-01-31");
        return;
    }
    struct redelivery_request *act = memory_allocate(sizeof *act);
    act->request = request;
    act->after_processing = after_processing_name(mailbox);
    act->enabled = mailbox_wants(mailbox, CYCLE_INCOMING);
    act->asked_for_ms = since_ms;
    act->address = memory_copy_string(mailbox_address(mailbox));
    act->redelivery = (struct redelivery){
        .service = control_service(request),
        .since_ms = since_ms,
        .dry_run = control_flag(request, "dry_run"),
        .user = control_user(request),
        .counted = counted,
        .done = redelivered,
        .argument = act,
    };
    control_keep(request, act, redelivery_gone);
    redelivery_start(&act->redelivery, mailbox);
}

const struct control_command control_act_commands[] = {
    {"enable", start_enable}, {"disable", start_disable},     {"pause", start_pause},
    {"resume", start_resume}, {"redeliver", start_redeliver}, {NULL, NULL},
};
