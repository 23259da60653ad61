#include "daemon/alerts.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/alert_log.h"
#include "daemon/alert_text.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/profile.h"
#include "daemon/trace.h"

#include <inttypes.h>

enum { GROUP_REPEAT_MS = 60 * 60 * 1000 };

/* --- one alert on its way through the store --- */

enum raise_string {
    RAISE_PROFILE,
    RAISE_MAILBOX,
    RAISE_DIRECTION,
    RAISE_CODE,
    RAISE_STEP,
    RAISE_SUBJECT,
    RAISE_SUBMISSION,
    RAISE_OPENING,
    RAISE_TEXT,
    RAISE_ACTIVITY,
    RAISE_TRACE,
    RAISE_STRINGS,
};

struct raise {
    const struct context *context;
    struct profile *profile; /* used */
    struct failure failure;
    struct store_alert alert;
    char *strings[RAISE_STRINGS];
    store_done *done;
    void *argument;
};

static void raise_free(struct raise *raise)
{
    for (size_t i = 0; i < RAISE_STRINGS; i++)
        memory_free(raise->strings[i]);
    profile_release(raise->profile);
    memory_free(raise);
}

static void raise_keep(struct raise *raise, enum raise_string which, const char *text)
{
    raise->strings[which] = memory_copy_string(text == NULL ? "" : text);
}

static struct store_alert_row raise_row(const struct raise *raise)
{
    return (struct store_alert_row){
        .id = raise->alert.id,
        .level = raise->alert.level,
        .told = raise->alert.untellable == NULL ? STORE_TOLD_BEING : STORE_TOLD_NOT,
        .told_reason = raise->alert.untellable == NULL ? "" : raise->alert.untellable,
        .scope = failure_scope_name(raise->failure.scope),
        .category = failure_category_name(raise->failure.category),
        .profile = raise->strings[RAISE_PROFILE],
        .mailbox = raise->strings[RAISE_MAILBOX],
        .direction = raise->strings[RAISE_DIRECTION],
        .code = raise->strings[RAISE_CODE],
        .step = raise->strings[RAISE_STEP],
        .subject = raise->alert.subject,
        .submission = raise->strings[RAISE_SUBMISSION],
        .opening = raise->strings[RAISE_OPENING],
        .sentence = raise->failure.sentence,
        .remedy = raise->failure.remedy,
        .text = raise->strings[RAISE_TEXT],
        .activity = raise->strings[RAISE_ACTIVITY],
        .trace = raise->strings[RAISE_TRACE],
        .absorbs = raise->alert.absorbs,
    };
}

/* Said once: when it opens, or when what was a warning has become an error. */
static void raise_report(const struct raise *raise)
{
    bool news =
        raise->alert.change == STORE_ALERT_OPENED || raise->alert.change == STORE_ALERT_RAISED;
    if (!raise->alert.tell)
        return;
    const struct store_alert_row row = raise_row(raise);
    if (news)
        alert_log(raise->context->log, &row, true, raise->profile->config);
    /* One that repeats may be untold for want of an owner who is configured now. */
    if (raise->alert.untellable == NULL)
        notifier_wake(raise->context->notifier, raise->strings[RAISE_PROFILE]);
}

static void raise_recorded(void *argument, const struct failure *failure)
{
    struct raise *raise = argument;
    if (failure == NULL) {
        /* One that stands for the mailbox is open from before this process. */
        bool covered = raise->alert.tell && raise->alert.change == STORE_ALERT_UNCHANGED &&
                       raise->alert.id != 0;
        if (raise->alert.absorbs || covered) {
            raise->profile->group = PROFILE_GROUP_OPEN;
            raise->profile->group_category = raise->failure.category;
        }
        raise_report(raise);
    }
    if (raise->done != NULL)
        raise->done(raise->argument, failure);
    raise_free(raise);
}

/* --- what is raised --- */

static void write_opening(struct buffer *opening, const struct cycle *cycle,
                          const struct failure *failure, bool absorbs)
{
    const struct profile *profile = cycle->profile;
    const struct alert_text text = {
        .category = failure->category,
        .scope = failure->scope,
        .direction = cycle->direction,
        .profile = profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .subject = cycle->subject,
        .absorbs = absorbs,
        .mailboxes = profile->mailbox_count,
    };
    alert_write_opening(opening, &text);
}

/* Why the owner cannot be told, whatever happens; NULL: there is a way. */
static const char *untellable(const struct config_profile *config)
{
    if (config->owner == NULL)
        return "the profile has no owner (key owner)";
    if (config->notify_channels == 0)
        return "the profile has no way to its owner (key notify)";
    return NULL;
}

static bool is_of_item(const struct failure *failure)
{
    return failure->scope == FAILURE_SCOPE_ITEM;
}

/* A message that has tries left is no matter for people yet. Nor can this machine's storage be the
 * matter of a row in it. */
static bool wants_alert(const struct cycle *cycle, const struct store_failure *row)
{
    if (is_of_item(&row->failure))
        return row->failure.permanent || row->attempts >= cycle->profile->config->item_attempts;
    return row->failure.scope != FAILURE_SCOPE_SERVER;
}

static struct raise *raise_create(const struct cycle *cycle, const struct store_failure *row,
                                  bool absorbs)
{
    struct raise *raise = memory_allocate(sizeof *raise);
    struct buffer opening = {0};
    bool of_mailbox = row->mailbox.number != 0;
    bool of_item = is_of_item(&row->failure);
    write_opening(&opening, cycle, &row->failure, absorbs);
    raise->context = cycle->context;
    raise->profile = cycle->profile;
    profile_use(raise->profile);
    raise->failure = row->failure;
    raise_keep(raise, RAISE_PROFILE, row->profile);
    raise_keep(raise, RAISE_MAILBOX, of_mailbox ? mailbox_address(cycle->mailbox) : NULL);
    raise_keep(raise, RAISE_DIRECTION, row->direction);
    raise_keep(raise, RAISE_CODE, row->failure.code);
    raise_keep(raise, RAISE_STEP, row->failure.step);
    raise_keep(raise, RAISE_SUBJECT, of_mailbox ? cycle->subject : NULL);
    raise_keep(raise, RAISE_SUBMISSION, row->submission);
    raise_keep(raise, RAISE_OPENING, buffer_string(&opening));
    raise_keep(raise, RAISE_TEXT, row->failure.text);
    raise_keep(raise, RAISE_ACTIVITY, row->activity);
    raise_keep(raise, RAISE_TRACE, row->trace);
    raise->alert = (struct store_alert){
        .level = row->failure.permanent || of_item ? STORE_ALERT_ERROR : STORE_ALERT_WARNING,
        .subject = raise->strings[RAISE_SUBJECT][0] == '\0' ? NULL : raise->strings[RAISE_SUBJECT],
        .opening = raise->strings[RAISE_OPENING],
        .tell = row->failure.permanent && !of_item,
        .absorbs = absorbs,
    };
    if (raise->alert.tell)
        raise->alert.untellable = untellable(cycle->profile->config);
    buffer_release(&opening);
    return raise;
}

static void raise_start(const struct cycle *cycle, struct store_failure *row, bool absorbs,
                        store_done *done, void *argument)
{
    struct raise *raise = raise_create(cycle, row, absorbs);
    raise->done = done;
    raise->argument = argument;
    row->alert = &raise->alert;
    store_failure_record(cycle->context->store, row, raise_recorded, raise);
}

/* --- one for most mailboxes of a profile --- */

static bool most_are_stopped(const struct profile *profile)
{
    return profile->mailbox_count >= ALERTS_GROUP_MAILBOXES &&
           2 * profile->stopped > profile->mailbox_count;
}

/* Another cause than that of the open alert is a matter of its own. */
static bool is_for_group(const struct cycle *cycle, const struct failure *failure)
{
    const struct profile *profile = cycle->profile;
    bool same =
        profile->group != PROFILE_GROUP_OPEN || failure->category == profile->group_category;
    return failure->scope == FAILURE_SCOPE_MAILBOX && failure->permanent && profile->current &&
           same && most_are_stopped(profile);
}

/* One that is open repeats from time to time, so that an owner who could not be told is told after
 * all. */
static bool group_is_due(const struct cycle *cycle)
{
    const struct profile *profile = cycle->profile;
    return profile->group != PROFILE_GROUP_OPEN || profile->group_again ||
           executor_now(cycle->context->executor) - profile->group_raised_ms >= GROUP_REPEAT_MS;
}

static void raise_group(const struct cycle *cycle, const struct store_failure *of_mailbox)
{
    struct store_failure row = *of_mailbox;
    cycle->profile->group_again = false;
    cycle->profile->group_raised_ms = executor_now(cycle->context->executor);
    row.failure.scope = FAILURE_SCOPE_PROFILE;
    row.mailbox = (struct store_mailbox){0};
    row.direction = NULL;
    raise_start(cycle, &row, true, NULL, NULL);
}

void alerts_record(const struct cycle *cycle, const struct store_failure *given, store_done *done,
                   void *argument)
{
    struct store_failure row = *given;
    struct buffer trace = {0};
    trace_write(&trace, cycle, &row.failure);
    row.trace = buffer_string(&trace);
    if (is_for_group(cycle, &row.failure)) {
        store_failure_record(cycle->context->store, &row, done, argument);
        if (group_is_due(cycle))
            raise_group(cycle, &row);
    } else if (wants_alert(cycle, &row)) {
        raise_start(cycle, &row, false, done, argument);
    } else {
        store_failure_record(cycle->context->store, &row, done, argument);
    }
    buffer_release(&trace);
}

/* --- what is over --- */

enum resolving_what { RESOLVING_MAILBOX, RESOLVING_PROFILE, RESOLVING_GROUP };

struct resolving {
    const struct context *context;
    enum resolving_what what;
    struct profile *used;
    struct store_resolved resolved;
    char *profile;
    char *mailbox; /* NULL: of the profile */
    const char *direction;
    const char *why; /* of the mailbox; static */
};

static void resolving_report(const struct resolving *resolving)
{
    const struct log_fields fields = {
        .message_id = MESSAGE_ALERT_RESOLVED,
        .profile = resolving->profile,
        .mailbox = resolving->mailbox,
        .direction = resolving->direction,
    };
    if (resolving->mailbox != NULL)
        log_write(resolving->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "%s: %s %s; %" PRIu32 " %s resolved", resolving->mailbox, resolving->direction,
                  resolving->why, resolving->resolved.alerts,
                  text_plural(resolving->resolved.alerts, "alert is", "alerts are"));
    else
        log_write(resolving->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s: %" PRIu32 " %s resolved", resolving->profile,
                  resolving->resolved.alerts,
                  text_plural(resolving->resolved.alerts, "alert is", "alerts are"));
}

/* The store was out of order: what is over would stand there as open, so it is told again by the
 * next success. Another failure, of a lease that is lost, would only come again. */
static void resolving_lost(const struct resolving *resolving, const struct failure *failure)
{
    if (failure->scope != FAILURE_SCOPE_SERVER)
        return;
    if (resolving->what == RESOLVING_MAILBOX)
        resolving->used->resolves_lost++;
    else if (resolving->what == RESOLVING_PROFILE)
        resolving->used->resolved = false;
    else if (resolving->used->group == PROFILE_GROUP_NONE)
        resolving->used->group = PROFILE_GROUP_UNKNOWN;
}

static void resolving_done(void *argument, const struct failure *failure)
{
    struct resolving *resolving = argument;
    if (failure != NULL)
        resolving_lost(resolving, failure);
    if (failure == NULL && resolving->resolved.alerts > 0)
        resolving_report(resolving);
    if (failure == NULL && resolving->resolved.told > 0)
        notifier_wake(resolving->context->notifier, resolving->profile);
    profile_release(resolving->used);
    memory_free(resolving->profile);
    memory_free(resolving->mailbox);
    memory_free(resolving);
}

static struct resolving *resolving_create(struct profile *profile, enum resolving_what what)
{
    struct resolving *resolving = memory_allocate(sizeof *resolving);
    resolving->context = profile->context;
    resolving->what = what;
    resolving->used = profile;
    profile_use(resolving->used);
    resolving->profile = memory_copy_string(profile->config->name);
    return resolving;
}

static void resolve_direction(const struct cycle *cycle, const char *why)
{
    struct resolving *resolving = resolving_create(cycle->profile, RESOLVING_MAILBOX);
    resolving->mailbox = memory_copy_string(mailbox_address(cycle->mailbox));
    resolving->direction = cycle_direction_name(cycle->direction);
    resolving->why = why;
    store_failure_resolve(cycle->context->store, resolving->profile, cycle->mailbox->id,
                          resolving->direction, clock_wall_ms(), &resolving->resolved,
                          resolving_done, resolving);
}

void alerts_resolve_mailbox(const struct cycle *cycle)
{
    resolve_direction(cycle, "synchronizes again");
}

void alerts_resolve_switched_off(const struct cycle *cycle)
{
    resolve_direction(cycle, "is disabled");
}

void alerts_resolve_profile(const struct cycle *cycle)
{
    struct resolving *resolving = resolving_create(cycle->profile, RESOLVING_PROFILE);
    store_failure_resolve(cycle->context->store, resolving->profile, (struct store_mailbox){0},
                          NULL, clock_wall_ms(), &resolving->resolved, resolving_done, resolving);
}

/* After a start nothing is known of a group that an earlier process left open before every mailbox
 * has been tried. */
void alerts_look_at_group(struct profile *profile)
{
    if (!profile->current)
        return;
    if (profile_is_well(profile))
        notifier_wake_if_well(profile->context->notifier, profile->config->name);
    if (profile->group == PROFILE_GROUP_NONE || profile->untried > 0 ||
        4 * profile->stopped > profile->mailbox_count)
        return;
    profile->group = PROFILE_GROUP_NONE;
    struct resolving *resolving = resolving_create(profile, RESOLVING_GROUP);
    store_alert_resolve_grouped(profile->context->store, resolving->profile, clock_wall_ms(),
                                &resolving->resolved, resolving_done, resolving);
}
