#include "daemon/find.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/profile.h"

#include <string.h>

enum {
    STEPS_BACK_MAX = 3,
    PAGE_OVERLAP = 5,     /* items of a page that the next one is to show again */
    REPEATS_LOOK_AT = 128 /* of the page before, when looking for repeated items; what repeats from
                           * further back is seen by the ledger */
};

static void finder_next_page(struct finder *finder);

static void finder_finish(struct finder *finder, const struct failure *failure)
{
    item_list_release(&finder->page);
    memory_free(finder->keys);
    memory_free(finder->states);
    memory_free(finder->seen);
    memory_free(finder->previous);
    finder->keys = NULL;
    finder->states = NULL;
    finder->seen = NULL;
    finder->previous = NULL;
    finder->done(finder, failure);
}

/* A store operation has answered: false when the finder is over. */
static bool finder_answered(struct finder *finder, const struct failure *failure)
{
    finder->waiting = false;
    if (finder->cancelled) {
        const struct failure cancelled = failure_cancelled();
        finder_finish(finder, &cancelled);
        return false;
    }
    if (failure != NULL) {
        finder_finish(finder, failure);
        return false;
    }
    return true;
}

static bool was_on_previous_page(const struct finder *finder, const struct digest *key)
{
    size_t first =
        finder->previous_count > REPEATS_LOOK_AT ? finder->previous_count - REPEATS_LOOK_AT : 0;
    for (size_t i = finder->previous_count; i > first; i--) {
        if (digest_equal(&finder->previous[i - 1], key))
            return true;
    }
    return false;
}

static void remember_page(struct finder *finder)
{
    const struct item_list *page = &finder->page;
    finder->previous =
        memory_resize(finder->previous, (page->count + 1) * sizeof *finder->previous);
    for (size_t i = 0; i < page->count; i++)
        finder->previous[i] = page->items[i].key.item;
    finder->previous_count = page->count;
}

/* Some item of the page before must come again, unless items above it were removed meanwhile. */
static bool page_connects(const struct finder *finder)
{
    if (finder->previous_count == 0 || finder->page.count == 0)
        return true;
    for (size_t i = 0; i < finder->page.count; i++) {
        if (was_on_previous_page(finder, &finder->page.items[i].key.item))
            return true;
    }
    return false;
}

static bool page_is_sorted(const struct item_list *page)
{
    for (size_t i = 1; i < page->count; i++) {
        if (page->items[i].received_ms > page->items[i - 1].received_ms)
            return false;
    }
    return true;
}

static bool page_lies_before_boundary(const struct finder *finder)
{
    if (finder->unsorted || finder->page.count == 0)
        return false;
    int64_t newest = finder->page.items[0].received_ms;
    return newest < finder->process_from_ms || (!finder->pass && newest < finder->boundary_ms);
}

/* Of too many new items the oldest stay: they are taken first. */
static void bound_found(struct finder *finder)
{
    if (finder->found.count <= FIND_ITEMS_MAX)
        return;
    item_list_drop_first(&finder->found, finder->found.count - FIND_ITEMS_MAX);
    finder->backlog = true;
}

/* Where the next walk begins: so far above the oldest that waits that one walk takes in about as
 * much as can be kept. */
static int64_t resume_offset(const struct finder *finder)
{
    int64_t step = FIND_ITEMS_MAX - (int64_t)finder->cycle->profile->config->page_size;
    if (step < FIND_ITEMS_MAX / 4)
        step = FIND_ITEMS_MAX / 4;
    int64_t first = finder->found.count > 0 ? finder->found.items[0].place : finder->start_offset;
    return first > step ? first - step : 0;
}

static void finder_complete(struct finder *finder, bool reached_end)
{
    finder->reached_end = reached_end;
    if (finder->pass) {
        finder->resume_offset = finder->offset;
    } else if (finder->backlog || finder->start_offset > 0) {
        finder->backlog = true;
        finder->resume_offset = resume_offset(finder);
    }
    finder_finish(finder, NULL);
}

static int64_t offset_after_page(const struct finder *finder)
{
    int64_t count = (int64_t)finder->page.count;
    int64_t overlap = count / 2 < PAGE_OVERLAP ? count / 2 : PAGE_OVERLAP;
    return finder->page_offset + count - overlap;
}

static void finder_go_on(struct finder *finder)
{
    if (finder->page_last || page_lies_before_boundary(finder)) {
        finder_complete(finder, true);
        return;
    }
    remember_page(finder);
    finder->offset = offset_after_page(finder);
    finder->items_read += finder->page.count;
    uint32_t page_size = finder->cycle->profile->config->page_size;
    if (finder->pass && finder->items_read + page_size > FIND_ITEMS_MAX) {
        finder_complete(finder, false);
        return;
    }
    finder_next_page(finder);
}

/* Neither what came too early, nor the message of a test, is anybody's mail to take. */
static bool is_wanted(const struct finder *finder, const struct item *item)
{
    return item->received_ms >= finder->process_from_ms && !item->test;
}

static void finder_seen(void *argument, const struct failure *failure)
{
    struct finder *finder = argument;
    if (finder_answered(finder, failure))
        finder_go_on(finder);
}

static void finder_take_new(struct finder *finder, size_t index)
{
    const struct item *listed = &finder->page.items[index];
    if (was_on_previous_page(finder, &listed->key.item))
        return;
    struct item *item = item_list_add(&finder->found, listed->reference);
    char *reference = item->reference;
    *item = *listed;
    item->reference = reference;
}

/* `index` of the page's items that were checked, in the order of the keys. */
static void finder_checked(void *argument, const struct failure *failure)
{
    struct finder *finder = argument;
    if (!finder_answered(finder, failure))
        return;

    size_t checked = 0, known = 0;
    for (size_t i = 0; i < finder->page.count; i++) {
        const struct item *item = &finder->page.items[i];
        if (!is_wanted(finder, item))
            continue;
        if (finder->states[checked++] == STORE_ITEM_UNKNOWN) {
            finder_take_new(finder, i);
        } else {
            /* One that was set aside and has come back is due at once. */
            if (finder->states[checked - 1] == STORE_ITEM_FAILED)
                finder->cycle->mailbox->may_have_open = true;
            finder->seen[known].key = item->key;
            finder->seen[known].reference = item->reference;
            known++;
        }
    }
    bound_found(finder);
    if (known == 0) {
        finder_go_on(finder);
        return;
    }
    finder->waiting = true;
    store_ledger_seen(finder->cycle->context->store, finder->cycle->mailbox->id, finder->seen,
                      known, clock_wall_ms(), finder_seen, finder);
}

static void finder_check(struct finder *finder)
{
    size_t count = finder->page.count;
    finder->keys = memory_resize(finder->keys, (count + 1) * sizeof *finder->keys);
    finder->states = memory_resize(finder->states, count + 1);
    finder->seen = memory_resize(finder->seen, (count + 1) * sizeof *finder->seen);
    size_t checked = 0;
    for (size_t i = 0; i < count; i++) {
        const struct item *item = &finder->page.items[i];
        if (is_wanted(finder, item))
            finder->keys[checked++] = item->key;
    }
    if (checked == 0) {
        finder_go_on(finder);
        return;
    }
    finder->waiting = true;
    store_ledger_check(finder->cycle->context->store, finder->cycle->mailbox->id, finder->keys,
                       checked, finder->states, finder_checked, finder);
}

/* An item whose time the server does not tell is taken as new. */
static void note_times(struct finder *finder)
{
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < finder->page.count; i++) {
        struct item *item = &finder->page.items[i];
        if (item->received_ms == INT64_MIN) {
            item->received_ms = now;
            finder->unsorted = true;
        }
        if (item->received_ms > finder->newest_ms)
            finder->newest_ms = item->received_ms;
    }
    if (!page_is_sorted(&finder->page))
        finder->unsorted = true;
}

/* A server that does not heed the offset would be asked for ever. */
static bool page_repeats(struct finder *finder, const struct backend_page *page)
{
    bool repeats = finder->previous_count > 0 && page->count > 0 &&
                   digest_equal(&finder->last_digest, &page->mark.page);
    finder->last_digest = page->mark.page;
    return repeats;
}

static struct failure failure_of_repetition(void)
{
    struct failure failure = {
        .category = FAILURE_PROTOCOL,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "The server lists the same messages again and again.",
        .remedy = "If it lasts, check the server's event log. exsyncd tests again by itself.",
    };
    failure_set_code(&failure, "PageRepeats");
    failure_set_step(&failure, "FindItem");
    return failure;
}

static void finder_listed(void *argument, const struct failure *failure,
                          const struct backend_page *page)
{
    struct finder *finder = argument;
    finder->operation = NULL;
    if (failure != NULL) {
        finder_finish(finder, failure);
        return;
    }
    if (page_repeats(finder, page)) {
        const struct failure repetition = failure_of_repetition();
        finder_finish(finder, &repetition);
        return;
    }
    if (page->total >= 0)
        finder->total = page->total;
    if (finder->offset == 0) {
        finder->first_page = page->mark;
        if (page->same) {
            finder->nothing_changed = true;
            finder->reached_end = true;
            finder_finish(finder, NULL);
            return;
        }
    }
    item_list_release(&finder->page);
    item_list_add_page(&finder->page, page, finder->offset);
    finder->page_offset = finder->offset;
    finder->page_last = page->last || page->count == 0;
    if (!page_connects(finder) && finder->steps_back < STEPS_BACK_MAX) {
        finder->steps_back++;
        int64_t step = finder->cycle->profile->config->page_size / 2;
        finder->offset = finder->offset > step ? finder->offset - step : 0;
        finder_next_page(finder);
        return;
    }
    finder->gap = finder->gap || !page_connects(finder);
    finder->steps_back = 0;
    note_times(finder);
    finder_check(finder);
}

static void finder_next_page(struct finder *finder)
{
    uint32_t limit = finder->cycle->profile->config->page_size;
    if (finder->offset == 0 && !finder->pass && limit > FIND_FIRST_PAGE)
        limit = FIND_FIRST_PAGE;
    finder->operation = backend_list_start(
        finder->cycle->profile->backend, &finder->cycle->target, finder->folder_id, finder->offset,
        limit, finder->offset == 0 ? finder->unchanged : NULL, finder_listed, finder);
}

void finder_start(struct finder *finder)
{
    finder->total = -1;
    finder->newest_ms = INT64_MIN;
    finder->offset = finder->start_offset;
    finder_next_page(finder);
}

void finder_cancel(struct finder *finder)
{
    if (finder->operation != NULL) {
        backend_cancel(finder->operation);
        finder->operation = NULL;
        const struct failure cancelled = failure_cancelled();
        finder_finish(finder, &cancelled);
    } else if (finder->waiting) {
        finder->cancelled = true;
    }
}

void finder_release(struct finder *finder)
{
    item_list_release(&finder->found);
}
