#include "header_checks.h"

#include "base/memory.h"
#include "counters.h"
#include "mailbox_store.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

enum { REMEMBERED_IDS = 4096 };

static const char cookie_name[] = "X-BackEndCookie=";

/* Which mailbox a client-request-id was last seen with. */
struct seen_id {
    uint64_t hash;
    uint32_t mailbox;
};

struct header_checks {
    struct counters *counters;
    pthread_mutex_t lock;
    struct seen_id ids[REMEMBERED_IDS]; /* by hash; a collision forgets the older one */
};

struct header_checks *header_checks_create(struct counters *counters)
{
    struct header_checks *checks = memory_allocate(sizeof *checks);
    checks->counters = counters;
    pthread_mutex_init(&checks->lock, NULL);
    return checks;
}

void header_checks_free(struct header_checks *checks)
{
    pthread_mutex_destroy(&checks->lock);
    memory_free(checks);
}

void header_checks_append_cookie(const struct mailbox *mailbox, struct buffer *value)
{
    char guid[ENTRY_GUID_SIZE];
    entry_owner_guid((struct entry_owner){mailbox->index, UINT32_MAX}, guid);
    buffer_append_format(value, "%s=u56Lnp2ejJqBzsnGyM", guid);
}

static bool is_id_of_another(struct header_checks *checks, const char *id, uint32_t mailbox)
{
    uint64_t hash = 0xCBF29CE484222325U;
    for (; *id != '\0'; id++)
        hash = (hash ^ (uint8_t)*id) * 0x100000001B3U;
    pthread_mutex_lock(&checks->lock);
    struct seen_id *seen = &checks->ids[(hash >> 32) % REMEMBERED_IDS];
    bool is_anothers = seen->hash == hash && seen->mailbox != mailbox;
    *seen = (struct seen_id){hash, mailbox};
    pthread_mutex_unlock(&checks->lock);
    return is_anothers;
}

/* True when there is a cookie; `is_right` when it is the mailbox's. */
static bool find_cookie(const char *cookies, const struct mailbox *mailbox, bool *is_right)
{
    const char *value = cookies == NULL ? NULL : strstr(cookies, cookie_name);
    if (value == NULL)
        return false;
    value += strlen(cookie_name);
    struct buffer right = {0};
    header_checks_append_cookie(mailbox, &right);
    *is_right = strncmp(value, right.data, right.length) == 0;
    buffer_release(&right);
    return true;
}

bool header_checks_examine(struct header_checks *checks, const struct checked_headers *headers,
                           const struct mailbox *mailbox)
{
    struct counters *counters = checks->counters;
    if (headers->anchor == NULL)
        counters_add(counters, "anchor_missing", "", 1);
    else if (strcasecmp(headers->anchor, mailbox->address) != 0)
        counters_add(counters, "anchor_mismatches", "", 1);
    if (headers->request_id == NULL)
        counters_add(counters, "request_id_missing", "", 1);
    else if (is_id_of_another(checks, headers->request_id, mailbox->index))
        counters_add(counters, "request_id_mismatches", "", 1);
    bool is_right = false;
    if (find_cookie(headers->cookies, mailbox, &is_right) && !is_right)
        counters_add(counters, "cookie_mismatches", "", 1);
    return !is_right;
}
