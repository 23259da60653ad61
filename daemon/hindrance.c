#include "daemon/hindrance.h"

#include "base/clock.h"
#include "base/shell_word.h"
#include "daemon/json_member.h"
#include "daemon/profile.h"

#include <inttypes.h>

static const struct direction *direction_of(const struct mailbox *mailbox,
                                            enum cycle_direction kind)
{
    return kind == CYCLE_INCOMING ? &mailbox->incoming : &mailbox->outgoing;
}

static bool has_stopped(const struct direction *direction)
{
    return direction->state == DIRECTION_WAITING && direction->trouble != NULL &&
           direction->trouble->failure.permanent;
}

enum hindrance hindrance_of(const struct mailbox *mailbox, enum cycle_direction kind,
                            const struct scheduler *scheduler)
{
    if (mailbox == NULL || mailbox->removed)
        return HINDRANCE_NOT_CONFIGURED;
    const struct direction *direction = direction_of(mailbox, kind);
    if (!mailbox_is_configured(mailbox, kind))
        return HINDRANCE_OFF;
    if (direction->switched_off)
        return HINDRANCE_DISABLED;
    if (direction->state == DIRECTION_RUNNING)
        return HINDRANCE_NONE;
    if (mailbox->profile->paused)
        return HINDRANCE_PAUSED;
    if (scheduler->storage.state != GATE_OPEN)
        return HINDRANCE_STORAGE;
    if (mailbox->profile->gate.state != GATE_OPEN)
        return HINDRANCE_PROFILE;
    return has_stopped(direction) ? HINDRANCE_STOPPED : HINDRANCE_NONE;
}

/* --- when it began; 0: that is not known --- */

static int64_t wall_of(uint64_t monotonic_ms)
{
    return clock_wall_ms() - (int64_t)(clock_monotonic_ms() - monotonic_ms);
}

static int64_t since_of(enum hindrance hindrance, const struct mailbox *mailbox,
                        enum cycle_direction kind, const struct scheduler *scheduler)
{
    switch (hindrance) {
    case HINDRANCE_PAUSED:
        return mailbox->profile->paused_since_ms;
    case HINDRANCE_STORAGE:
        return scheduler->storage.closed_wall_ms;
    case HINDRANCE_PROFILE:
        return mailbox->profile->gate.closed_wall_ms;
    case HINDRANCE_STOPPED:
        return wall_of(direction_of(mailbox, kind)->trouble->since_ms);
    case HINDRANCE_DISABLED:
        return direction_of(mailbox, kind)->switched.since_ms;
    case HINDRANCE_NONE:
    case HINDRANCE_NOT_CONFIGURED:
    case HINDRANCE_OFF:
    case HINDRANCE_COUNT:
        break;
    }
    return 0;
}

/* --- the clause --- */

static void write_time(struct buffer *text, const char *before, int64_t wall_ms)
{
    char time[CLOCK_LOCAL_SIZE];
    if (wall_ms == 0 || wall_ms == INT64_MAX)
        return;
    clock_format_local(wall_ms, time);
    buffer_append_format(text, "%s%s", before, time);
}

static void write_failure(struct buffer *text, const struct failure *failure)
{
    buffer_append_format(text, "%s (%s)", failure->sentence == NULL ? "" : failure->sentence,
                         failure->code);
}

void hindrance_write_paused(struct buffer *text, const struct profile *profile)
{
    buffer_append_format(text, "the profile %s is paused", profile->config->name);
    write_time(text, " since ", profile->paused_since_ms);
    buffer_append_string(text, "; exsyncctl resume ");
    shell_word_append(text, profile->config->name);
}

/* The whole mailbox is named when nothing of it goes on. */
void hindrance_write_disabled(struct buffer *text, const struct mailbox *mailbox,
                              enum cycle_direction kind)
{
    const struct direction *direction = direction_of(mailbox, kind);
    if (mailbox_wants(mailbox, CYCLE_INCOMING) || mailbox_wants(mailbox, CYCLE_OUTGOING))
        buffer_append_format(text, "%s of ", cycle_direction_name(kind));
    buffer_append_format(text, "%s is disabled by an administrator (uid %" PRIu32 ")",
                         mailbox_address(mailbox), direction->switched.user);
    write_time(text, " since ", direction->switched.since_ms);
    buffer_append_string(text, "; exsyncctl enable ");
    shell_word_append(text, mailbox_address(mailbox));
}

void hindrance_write_gate(struct buffer *text, const struct profile *profile)
{
    buffer_append_format(text, "the profile %s waits for its server or account",
                         profile->config->name);
    write_time(text, " since ", profile->gate.closed_wall_ms);
    buffer_append_string(text, ": ");
    write_failure(text, &profile->gate.failure);
    buffer_append_string(text, "; exsyncctl profile show ");
    shell_word_append(text, profile->config->name);
}

static void write_stopped(struct buffer *text, const struct direction *direction)
{
    const char *address = mailbox_address(direction->mailbox);
    buffer_append_format(text, "%s of %s is stopped: ", cycle_direction_name(direction->kind),
                         address);
    write_failure(text, &direction->trouble->failure);
    buffer_append_string(text, "; exsyncctl mailbox show ");
    shell_word_append(text, address);
}

void hindrance_write(struct buffer *text, const struct mailbox *mailbox, enum cycle_direction kind,
                     const struct scheduler *scheduler)
{
    switch (hindrance_of(mailbox, kind, scheduler)) {
    case HINDRANCE_NOT_CONFIGURED:
        buffer_append_string(text, "its mailbox is not configured any more");
        break;
    case HINDRANCE_OFF:
        buffer_append_format(text, "the configuration says %s = no for %s",
                             cycle_direction_name(kind), mailbox_address(mailbox));
        break;
    case HINDRANCE_DISABLED:
        hindrance_write_disabled(text, mailbox, kind);
        break;
    case HINDRANCE_PAUSED:
        hindrance_write_paused(text, mailbox->profile);
        break;
    case HINDRANCE_STORAGE:
        buffer_append_string(text, "this machine's disk or database fails: ");
        write_failure(text, &scheduler->storage.failure);
        buffer_append_string(text, "; exsyncctl status");
        break;
    case HINDRANCE_PROFILE:
        hindrance_write_gate(text, mailbox->profile);
        break;
    case HINDRANCE_STOPPED:
        write_stopped(text, direction_of(mailbox, kind));
        break;
    case HINDRANCE_NONE:
    case HINDRANCE_COUNT:
        break;
    }
}

static const char *name_of(enum hindrance hindrance)
{
    static const char *const names[HINDRANCE_COUNT] = {
        [HINDRANCE_NOT_CONFIGURED] = "not configured",
        [HINDRANCE_OFF] = "off",
        [HINDRANCE_DISABLED] = "disabled",
        [HINDRANCE_PAUSED] = "paused",
        [HINDRANCE_STORAGE] = "storage",
        [HINDRANCE_PROFILE] = "profile",
        [HINDRANCE_STOPPED] = "stopped",
    };
    return names[hindrance];
}

json_t *hindrance_json(const struct mailbox *mailbox, enum cycle_direction kind,
                       const struct scheduler *scheduler)
{
    enum hindrance hindrance = hindrance_of(mailbox, kind, scheduler);
    struct buffer text = {0};
    if (hindrance == HINDRANCE_NONE)
        return json_null();
    json_t *object = json_object();
    hindrance_write(&text, mailbox, kind, scheduler);
    json_set_text(object, "cause", name_of(hindrance));
    json_set_time(object, "since", since_of(hindrance, mailbox, kind, scheduler));
    json_set_buffer(object, "text", &text);
    return object;
}
