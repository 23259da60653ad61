#include "daemon/view.h"

#include "base/memory.h"
#include "daemon/mailbox_json.h"
#include "daemon/profile_json.h"

#include <string.h>

enum { PROFILES_A_SLICE = 50 };

/* --- one on its way --- */

static void view_free(struct view *view)
{
    view_numbers_release(&view->numbers);
    memory_free(view->last);
    memory_free(view);
}

static void view_gone(void *argument)
{
    struct view *view = argument;
    view->request = NULL;
    if (!view->reading)
        view_free(view);
}

static void view_go(struct control_request *request)
{
    struct view *view = control_state(request);
    enum view_slice slice = view->slice(view);
    if (slice == VIEW_MORE) {
        control_on_ready(request, view_go);
        return;
    }
    view_free(view);
    if (slice == VIEW_LAST)
        control_end(request);
}

static void view_read(void *argument, const struct failure *failure)
{
    struct view *view = argument;
    view->reading = false;
    view->known = failure == NULL;
    if (view->request == NULL)
        view_free(view);
    else
        view_go(view->request);
}

void *view_start(size_t size, struct control_request *request,
                 enum view_slice (*slice)(struct view *view))
{
    struct view *view = memory_allocate(size);
    view->request = request;
    view->service = control_service(request);
    view->slice = slice;
    view->reading = true;
    control_keep(request, view, view_gone);
    view_numbers_read(&view->numbers, view->service->context.store, view_read, view);
    return view;
}

/* --- mailboxes --- */

/* Where an address stands, or would stand, among those of the configuration. */
static size_t place_of(const struct config *config, const char *address)
{
    size_t low = 0, high = config->mailbox_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(config->mailboxes[middle].address, address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool stands_at(const struct config *config, size_t place, const char *address)
{
    return place < config->mailbox_count && strcmp(config->mailboxes[place].address, address) == 0;
}

bool view_walk(struct view *view, size_t most,
               void (*each)(struct view *view, const struct mailbox *mailbox))
{
    const struct config *config = view->service->configuration->config;
    size_t place = 0;
    if (view->last != NULL) {
        place = place_of(config, view->last);
        place += stands_at(config, place, view->last);
    }
    size_t end = config->mailbox_count - place < most ? config->mailbox_count : place + most;
    for (size_t i = place; i < end; i++)
        each(view, view->service->by_config[i]);
    bool more = end < config->mailbox_count;
    memory_free(view->last);
    view->last = more && end > 0 ? memory_copy_string(config->mailboxes[end - 1].address) : NULL;
    return more;
}

json_t *view_mailbox(const struct view *view, const struct mailbox *mailbox)
{
    json_t *object = mailbox_json(mailbox, &view->service->scheduler);
    json_t *outgoing = json_object_get(object, "outgoing");
    const struct view_backlog backlog = view_numbers_backlog(&view->numbers, mailbox->id.number);
    json_object_set_new(outgoing, "queued", view_number(view, backlog.waiting));
    json_object_set_new(outgoing, "held", view_number(view, backlog.held));
    return object;
}

json_t *view_number(const struct view *view, uint64_t number)
{
    return view->known ? json_integer((json_int_t)number) : json_null();
}

/* --- profiles --- */

void view_tell_profile(struct view *view, const struct profile *profile)
{
    const struct view_alerts alerts = view_numbers_alerts(&view->numbers, profile->config->name);
    json_t *object = profile_json(profile, view->service->configuration->config);
    json_t *counts = json_object();
    json_object_set_new(counts, "errors", view_number(view, alerts.errors));
    json_object_set_new(counts, "warnings", view_number(view, alerts.warnings));
    json_object_set_new(object, "alerts", counts);
    control_reply(view->request, object);
}

bool view_tell_profiles(struct view *view)
{
    const struct config *config = view->service->configuration->config;
    for (size_t told = 0; told < PROFILES_A_SLICE && view->profile < config->profile_count;
         told++) {
        const char *name = config->profiles[view->profile++].name;
        const struct profile *profile = service_profile(view->service, name);
        if (profile != NULL)
            view_tell_profile(view, profile);
    }
    return view->profile < config->profile_count;
}
