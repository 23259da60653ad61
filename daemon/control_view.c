/* Mailboxes and profiles as they are now.
 *
 *   mailboxes   {"profile": NAME, "trouble": true}
 *       mailboxes by address (mailbox_json.h): all, those of one profile, and of these only those
 *       that are failing or stopped. Errors: NoSuchProfile
 *   mailbox     {"address": ADDRESS}
 *       one, the whole of it. Errors: NoSuchMailbox
 *   profiles    {}
 *       profiles by name (profile_json.h)
 *   profile     {"name": NAME}
 *       one. Errors: NoSuchProfile */
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/health.h"
#include "daemon/mailbox_json.h"
#include "daemon/view.h"

#include <string.h>

enum { MAILBOXES_A_SLICE = 100 };
_Static_assert((int)MAILBOXES_A_SLICE <= (int)CONTROL_SLICE, "a slice is short");

/* --- mailboxes --- */

static bool is_wanted(const struct view *view, const struct mailbox *mailbox)
{
    const char *profile = control_text(view->request, "profile");
    if (profile != NULL && strcmp(mailbox->profile->config->name, profile) != 0)
        return false;
    return !control_flag(view->request, "trouble") ||
           health_is_trouble(health_of(mailbox, &view->service->scheduler));
}

static void tell_mailbox(struct view *view, const struct mailbox *mailbox)
{
    if (is_wanted(view, mailbox))
        control_reply(view->request, view_mailbox(view, mailbox));
}

static enum view_slice mailboxes_slice(struct view *view)
{
    return view_walk(view, MAILBOXES_A_SLICE, tell_mailbox) ? VIEW_MORE : VIEW_LAST;
}

static void mailboxes_start(struct control_request *request)
{
    const char *profile = control_text(request, "profile");
    if (profile == NULL || control_profile(request, profile) != NULL)
        view_start(sizeof(struct view), request, mailboxes_slice);
}

static enum view_slice mailbox_slice(struct view *view)
{
    const struct mailbox *mailbox = control_mailbox(view->request);
    if (mailbox == NULL)
        return VIEW_FAILED;
    json_t *object = view_mailbox(view, mailbox);
    mailbox_json_whole(object, mailbox);
    control_reply(view->request, object);
    return VIEW_LAST;
}

static void mailbox_start(struct control_request *request)
{
    view_start(sizeof(struct view), request, mailbox_slice);
}

/* --- profiles --- */

static enum view_slice profiles_slice(struct view *view)
{
    return view_tell_profiles(view) ? VIEW_MORE : VIEW_LAST;
}

static void profiles_start(struct control_request *request)
{
    view_start(sizeof(struct view), request, profiles_slice);
}

static enum view_slice profile_slice(struct view *view)
{
    const struct profile *profile =
        control_profile(view->request, control_text(view->request, "name"));
    if (profile == NULL)
        return VIEW_FAILED;
    view_tell_profile(view, profile);
    return VIEW_LAST;
}

static void profile_start(struct control_request *request)
{
    view_start(sizeof(struct view), request, profile_slice);
}

const struct control_command control_view_commands[] = {
    {"mailboxes", mailboxes_start},
    {"mailbox", mailbox_start},
    {"profiles", profiles_start},
    {"profile", profile_start},
    {NULL, NULL},
};
