#include "daemon/mailbox.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/profile.h"

#include <assert.h>
#include <string.h>

/* --- its place in the profile's numbers --- */

/* One with neither direction on takes no part. One that only sends may have nothing to send for
 * ever: nobody waits for its first cycle. */
static void mailbox_count(struct mailbox *mailbox)
{
    bool receives = mailbox_wants(mailbox, CYCLE_INCOMING);
    mailbox->counted = receives || mailbox_wants(mailbox, CYCLE_OUTGOING);
    mailbox->awaited = receives && !mailbox->tried;
    mailbox->profile->mailbox_count += mailbox->counted;
    mailbox->profile->stopped += mailbox->counted && mailbox->stopped;
    mailbox->profile->untried += mailbox->awaited;
}

static void mailbox_uncount(struct mailbox *mailbox)
{
    mailbox->profile->mailbox_count -= mailbox->counted;
    mailbox->profile->stopped -= mailbox->counted && mailbox->stopped;
    mailbox->profile->untried -= mailbox->awaited;
    mailbox->counted = mailbox->awaited = false;
}

static bool direction_is_stopped(const struct direction *direction)
{
    return direction->trouble != NULL && direction->trouble->failure.permanent;
}

static bool mailbox_is_stopped(const struct mailbox *mailbox)
{
    return direction_is_stopped(&mailbox->incoming) || direction_is_stopped(&mailbox->outgoing);
}

void mailbox_note_end(struct mailbox *mailbox)
{
    mailbox_uncount(mailbox);
    mailbox->tried = true;
    mailbox->stopped = mailbox_is_stopped(mailbox);
    mailbox_count(mailbox);
}

void mailbox_set_removed(struct mailbox *mailbox, bool removed)
{
    mailbox_uncount(mailbox);
    mailbox->removed = removed;
    mailbox_count(mailbox);
}

/* --- its configuration --- */

static void forget_trouble(struct direction *direction)
{
    memory_free(direction->trouble);
    memory_free(direction->past);
    direction->trouble = NULL;
    direction->past = NULL;
    direction->probed = false;
}

/* What went wrong with a direction that is off is over; the store was told by whoever turned it
 * off. */
static void mailbox_forget_off(struct mailbox *mailbox)
{
    struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    for (size_t i = 0; i < 2; i++) {
        if (mailbox_wants(mailbox, directions[i]->kind))
            continue;
        forget_trouble(directions[i]);
        directions[i]->resolved = false;
    }
    mailbox->stopped = mailbox_is_stopped(mailbox);
}

static void mailbox_attach(struct mailbox *mailbox, const struct config_mailbox *config,
                           struct configuration *configuration, struct profile *profile)
{
    mailbox->config = config;
    mailbox->configuration = configuration;
    mailbox->profile = profile;
    configuration_use(configuration);
    profile_use(profile);
}

static void mailbox_release(struct configuration *configuration, struct profile *profile)
{
    configuration_release(configuration);
    profile_release(profile);
}

struct mailbox *mailbox_create(const struct config_mailbox *config,
                               struct configuration *configuration, struct profile *profile)
{
    struct mailbox *mailbox = memory_allocate(sizeof *mailbox);
    mailbox_attach(mailbox, config, configuration, profile);
    mailbox->incoming.mailbox = mailbox;
    mailbox->outgoing.mailbox = mailbox;
    mailbox->outgoing.kind = CYCLE_OUTGOING;
    mailbox->may_have_open = true;
    mailbox_count(mailbox);
    return mailbox;
}

void mailbox_forget_folders(struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->folder_count; i++)
        memory_free(mailbox->folders[i].folder_id);
    memory_free(mailbox->folders);
    mailbox->folders = NULL;
    mailbox->folder_count = 0;
    memory_free(mailbox->move_folder_id);
    mailbox->move_folder_id = NULL;
}

bool mailbox_runs(const struct mailbox *mailbox)
{
    return mailbox->incoming.state == DIRECTION_RUNNING ||
           mailbox->outgoing.state == DIRECTION_RUNNING;
}

bool mailbox_is_busy(const struct mailbox *mailbox)
{
    return mailbox_runs(mailbox) || mailbox->incoming.claims > 0 || mailbox->outgoing.claims > 0;
}

void mailbox_free(struct mailbox *mailbox)
{
    assert(!mailbox_is_busy(mailbox));
    if (mailbox->next_configuration != NULL)
        mailbox_release(mailbox->next_configuration, mailbox->next_profile);
    mailbox_uncount(mailbox);
    mailbox_release(mailbox->configuration, mailbox->profile);
    mailbox_forget_folders(mailbox);
    forget_trouble(&mailbox->incoming);
    forget_trouble(&mailbox->outgoing);
    memory_free(mailbox->cookies);
    memory_free(mailbox);
}

static bool folders_equal(const char *const *a, const char *const *b)
{
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool maildirs_equal(const struct config_mailbox *a, const struct config_mailbox *b)
{
    char *path_a = config_maildir_path(a);
    char *path_b = config_maildir_path(b);
    bool equal = strcmp(path_a, path_b) == 0;
    memory_free(path_a);
    memory_free(path_b);
    return equal;
}

/* Whether what was remembered of the folders and the sink still means the same. */
static bool mailboxes_equivalent(const struct config_mailbox *mailbox_a,
                                 const struct config_mailbox *mailbox_b)
{
    const struct config_mailbox_settings *a = mailbox_a->settings, *b = mailbox_b->settings;
    return maildirs_equal(mailbox_a, mailbox_b) && folders_equal(a->folders, b->folders) &&
           text_equal(a->move_folder, b->move_folder) &&
           a->has_deliver_group == b->has_deliver_group && a->deliver_group == b->deliver_group &&
           a->deliver_mode == b->deliver_mode && a->has_process_from == b->has_process_from &&
           a->process_from_ms == b->process_from_ms;
}

static void mailbox_switch(struct mailbox *mailbox, const struct config_mailbox *config,
                           struct configuration *configuration, struct profile *profile)
{
    struct configuration *old_configuration = mailbox->configuration;
    struct profile *old_profile = mailbox->profile;
    bool renamed = strcmp(mailbox->config->address, config->address) != 0;
    bool same = !renamed && old_profile == profile && mailboxes_equivalent(mailbox->config, config);

    if (!same) {
        mailbox_forget_folders(mailbox);
        mailbox->sink_checked = false;
        mailbox->may_have_open = true;
    }
    if (renamed || old_profile != profile) {
        memory_free(mailbox->cookies);
        mailbox->cookies = NULL;
    }
    mailbox_uncount(mailbox);
    mailbox_attach(mailbox, config, configuration, profile);
    mailbox_forget_off(mailbox);
    mailbox_count(mailbox);
    mailbox_release(old_configuration, old_profile);
}

void mailbox_reconfigure(struct mailbox *mailbox, const struct config_mailbox *config,
                         struct configuration *configuration, struct profile *profile)
{
    if (!mailbox_runs(mailbox)) {
        mailbox_switch(mailbox, config, configuration, profile);
        return;
    }
    configuration_use(configuration);
    profile_use(profile);
    if (mailbox->next_configuration != NULL)
        mailbox_release(mailbox->next_configuration, mailbox->next_profile);
    mailbox->next_config = config;
    mailbox->next_configuration = configuration;
    mailbox->next_profile = profile;
}

void mailbox_settle(struct mailbox *mailbox)
{
    if (mailbox->next_configuration == NULL || mailbox_runs(mailbox))
        return;
    struct configuration *configuration = mailbox->next_configuration;
    struct profile *profile = mailbox->next_profile;
    mailbox->next_configuration = NULL;
    mailbox->next_profile = NULL;
    mailbox_switch(mailbox, mailbox->next_config, configuration, profile);
    mailbox_release(configuration, profile);
}

/* One without a direction that is on will never be tried: nobody is to wait for that. */
void mailbox_forget_trouble(struct mailbox *mailbox, enum cycle_direction kind)
{
    struct direction *direction = mailbox_direction(mailbox, kind);
    mailbox_uncount(mailbox);
    forget_trouble(direction);
    mailbox->stopped = mailbox_is_stopped(mailbox);
    mailbox_count(mailbox);
}

void mailbox_recall_trouble(struct direction *direction, uint32_t failures, int64_t since_ms)
{
    if (failures == 0)
        return;
    direction->past = memory_allocate(sizeof *direction->past);
    *direction->past = (struct direction_past){.failures = failures, .since_ms = since_ms};
}

void mailbox_begin_trouble(struct direction *direction, uint64_t now)
{
    struct direction_trouble *trouble = memory_allocate(sizeof *trouble);
    const struct direction_past *past = direction->past;
    int64_t age_ms = past == NULL ? 0 : clock_wall_ms() - past->since_ms;
    assert(direction->trouble == NULL);
    trouble->since_ms = now - (uint64_t)(age_ms < 0 ? 0 : age_ms);
    trouble->failures = past == NULL ? 0 : past->failures;
    direction->trouble = trouble;
    memory_free(direction->past);
    direction->past = NULL;
}

void mailbox_note_own_try(struct direction *direction, uint64_t due_ms)
{
    struct direction_trouble *trouble = direction->trouble;
    if (trouble != NULL && trouble->failure.permanent && trouble->probe_ms == 0)
        trouble->probe_ms = due_ms;
}

const char *mailbox_address(const struct mailbox *mailbox)
{
    return mailbox->config->address;
}

const struct config_mailbox_settings *mailbox_settings(const struct mailbox *mailbox)
{
    return mailbox->config->settings;
}

static bool settings_want(const struct config_mailbox_settings *settings,
                          enum cycle_direction direction)
{
    return direction == CYCLE_INCOMING ? settings->incoming : settings->outgoing;
}

bool mailbox_is_configured(const struct mailbox *mailbox, enum cycle_direction direction)
{
    return !mailbox->removed && settings_want(mailbox_settings(mailbox), direction);
}

bool mailbox_wants(const struct mailbox *mailbox, enum cycle_direction direction)
{
    const struct direction *which =
        direction == CYCLE_INCOMING ? &mailbox->incoming : &mailbox->outgoing;
    return mailbox_is_configured(mailbox, direction) && !which->switched_off;
}

bool mailbox_leaves(const struct mailbox *mailbox, enum cycle_direction direction)
{
    if (mailbox->removed)
        return true;
    return mailbox->next_configuration != NULL &&
           !settings_want(mailbox->next_config->settings, direction);
}

struct direction *mailbox_direction(struct mailbox *mailbox, enum cycle_direction direction)
{
    return direction == CYCLE_INCOMING ? &mailbox->incoming : &mailbox->outgoing;
}
