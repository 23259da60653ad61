#include "ews/ews_operation.h"
#include "ews/ews_reference.h"
#include "ews/ews_test_id.h"
#include "ews/ews_value.h"
#include "ews/response_codes.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* A mailbox has each submission id once, or a few times when people copy mail: a page is all there
 * is, but with servers that give less than they are asked for. */
enum {
    PAGE_ITEMS = 500,
    PAGES_MAX = 100,
    ANSWER_BYTES = 262144,
    ITEM_BYTES = 16384,
    ITEM_TEXT = 4096,
    FOLDERS = BACKEND_IN_SENT_ITEMS + 1,
    MATCHES_MAX = 2000, /* on all pages together */
};

static const char STEP[] = "FindItem";

struct found_folder {
    bool told; /* its page came */
    bool last;
    int64_t items; /* on this page */
    int64_t total; /* as the first page said; -1: not */
};

struct search {
    struct backend_operation operation; /* first */
    char *ids[BACKEND_SEARCH_MAX];
    size_t count;
    int64_t offset;
    unsigned pages;
    struct found_folder folders[FOLDERS];
    size_t folder; /* the one that is read */
    struct failure failure;

    bool has_id; /* of the item that is read */
    bool is_submission_id;
    bool has_submission_id;
    size_t place; /* of its reference */
    struct backend_match match;

    struct backend_match *matches;
    size_t *places; /* of their references */
    size_t match_count;
    struct buffer references;
    backend_search_done *done;
    void *argument;
};

static void send(struct search *search);

static void fail(struct search *search, const char *code, const char *text)
{
    if (!failure_is_set(&search->failure))
        search->failure = response_protocol_failure(STEP, code, text, RESPONSE_OF_MAILBOX);
}

/* --- items --- */

static void begin_item(struct search *search)
{
    search->has_id = search->has_submission_id = false;
    search->match = (struct backend_match){
        .index = search->count,
        .place = (enum backend_place)search->folder,
    };
    search->folders[search->folder].items++;
}

static void take_id(struct search *search, const struct ews_attributes *attributes)
{
    search->place = search->references.length;
    if (search->has_id || !ews_reference_append(&search->references, attributes))
        fail(search, "InvalidItemId", "an item that was found has no valid ItemId");
    search->has_id = true;
}

/* Of all that a server may tell on many pages, only what is looked for is kept. */
static void forget_id(struct search *search)
{
    struct buffer *references = &search->references;
    if (references->length > search->place)
        references->data[references->length = search->place] = '\0';
}

static void take_field(struct search *search, const struct ews_attributes *attributes)
{
    search->is_submission_id = ews_submission_field_is(attributes);
}

static void take_value(struct search *search, const char *text, size_t length)
{
    if (!search->is_submission_id)
        return;
    search->has_submission_id = true;
    for (size_t i = 0; i < search->count; i++) {
        if (strlen(search->ids[i]) == length && strncasecmp(search->ids[i], text, length) == 0)
            search->match.index = i;
    }
}

static void add_match(struct search *search)
{
    if (search->match_count == MATCHES_MAX) {
        ews_response_stop(&search->operation.response, "TooManyMatches",
                          "more copies of the messages were found than there can be");
        return;
    }
    size_t room = search->match_count + 1;
    search->matches = memory_resize(search->matches, room * sizeof *search->matches);
    search->places = memory_resize(search->places, room * sizeof *search->places);
    search->places[search->match_count] = search->place;
    search->matches[search->match_count++] = search->match;
}

/* An item without the property may be any of those that were searched for: then nothing is known.
 */
static void end_item(struct search *search)
{
    if (!search->has_id)
        fail(search, "InvalidItemId", "an item that was found has no ItemId");
    else if (!search->has_submission_id)
        fail(search, "NoSubmissionId", "an item was found without the property searched for");
    else if (search->match.index < search->count)
        add_match(search);
    else
        forget_id(search);
}

/* --- folders --- */

static void take_root(struct search *search, const struct ews_attributes *attributes)
{
    struct found_folder *folder = &search->folders[search->folder];
    size_t length = 0;
    const char *last = ews_attribute(attributes, "IncludesLastItemInRange", &length);
    int64_t total = ews_value_number_attribute(attributes, "TotalItemsInView");
    if (search->pages > 1 && folder->total != total)
        fail(search, "FolderChanged", "a folder changed while it was searched page by page");
    folder->told = true;
    folder->total = total;
    folder->last = last != NULL && ews_value_boolean(last, length);
}

static void end_folder(struct search *search)
{
    struct found_folder *folder = &search->folders[search->folder];
    if (!folder->told)
        fail(search, "NoRootFolder", "the answer has no page in it");
    if (folder->items == 0 ||
        (folder->total >= 0 && search->offset + folder->items >= folder->total))
        folder->last = true;
}

/* --- the reader --- */

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    struct search *search = argument;
    switch (element) {
    case EWS_ELEMENT_ROOT_FOLDER:
        take_root(search, attributes);
        break;
    case EWS_ELEMENT_ITEM:
        begin_item(search);
        break;
    case EWS_ELEMENT_ITEM_ID:
        take_id(search, attributes);
        break;
    case EWS_ELEMENT_EXTENDED_PROPERTY:
        search->is_submission_id = false;
        break;
    case EWS_ELEMENT_EXTENDED_FIELD:
        take_field(search, attributes);
        break;
    default:
        break;
    }
}

static void on_end(void *argument, enum ews_element element, const char *text, size_t length)
{
    struct search *search = argument;
    ews_value_trim(&text, &length);
    switch (element) {
    case EWS_ELEMENT_EXTENDED_VALUE:
        take_value(search, text, length);
        break;
    case EWS_ELEMENT_IS_SUBMITTED:
        search->match.submitted = ews_value_boolean(text, length);
        break;
    case EWS_ELEMENT_ITEM:
        end_item(search);
        break;
    default:
        break;
    }
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    struct search *search = argument;
    if (failure == NULL)
        end_folder(search);
    else if (!failure_is_set(&search->failure))
        search->failure = *failure;
    search->folder = index + 1;
}

static const struct ews_reader reader = {
    .start = on_start,
    .end = on_end,
    .message_end = on_message_end,
};

/* --- the operation --- */

static bool tell(struct search *search, const struct failure *failure)
{
    if (failure != NULL) { /* perhaps of one message, which spoils each search that finds it */
        struct failure told = *failure;
        told.divisible = response_may_be_of_one(failure);
        search->done(search->argument, &told, NULL, 0);
        return true;
    }
    for (size_t i = 0; i < search->match_count; i++)
        search->matches[i].reference = search->references.data + search->places[i];
    search->done(search->argument, NULL, search->matches, search->match_count);
    return true;
}

/* Where the next page begins: behind the shortest of those that have more; 0: none has. */
static int64_t next_offset(const struct search *search)
{
    int64_t step = 0;
    for (size_t i = 0; i < FOLDERS; i++) {
        const struct found_folder *folder = &search->folders[i];
        if (!folder->last && (step == 0 || folder->items < step))
            step = folder->items;
    }
    return step == 0 ? 0 : search->offset + step;
}

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct search *search = (struct search *)operation;
    if (failure != NULL)
        return tell(search, failure);
    if (search->folder < FOLDERS)
        fail(search, "NoRootFolder", "the answer has no page for one of the folders");
    int64_t next = next_offset(search);
    if (next > 0 && search->pages == PAGES_MAX)
        fail(search, "TooManyPages", "the search has no end");
    if (failure_is_set(&search->failure))
        return tell(search, &search->failure);
    if (next == 0)
        return tell(search, NULL);
    search->offset = next;
    send(search);
    return false;
}

static void on_release(struct backend_operation *operation)
{
    struct search *search = (struct search *)operation;
    for (size_t i = 0; i < search->count; i++)
        memory_free(search->ids[i]);
    memory_free(search->matches);
    memory_free(search->places);
    buffer_release(&search->references);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct search),
    .answered = on_answered,
    .release = on_release,
};

static void send(struct search *search)
{
    struct backend_operation *operation = &search->operation;
    const struct ews_sender sender = ews_operation_sender(operation);
    search->pages++;
    search->folder = 0;
    for (size_t i = 0; i < FOLDERS; i++) {
        search->folders[i].told = search->folders[i].last = false;
        search->folders[i].items = 0;
    }
    ews_request_search(&operation->request.body, &sender, (const char *const *)search->ids,
                       search->count, search->offset, PAGE_ITEMS);
    const struct ews_expectation expectation = {
        .step = STEP,
        .reader = &reader,
        .limits = {.total_bytes = ANSWER_BYTES + FOLDERS * PAGE_ITEMS * ITEM_BYTES,
                   .text_bytes = ANSWER_BYTES + FOLDERS * PAGE_ITEMS * ITEM_TEXT},
        .messages = FOLDERS,
    };
    ews_operation_send(operation, &expectation);
}

struct backend_operation *backend_search_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *const *ids, size_t count,
                                               backend_search_done *done, void *argument)
{
    assert(count >= 1 && count <= BACKEND_SEARCH_MAX);
    struct search *search = ews_operation_create(backend, &kind, mailbox);
    for (size_t i = 0; i < count; i++)
        search->ids[i] = memory_copy_string(ids[i]);
    search->count = count;
    search->done = done;
    search->argument = argument;
    send(search);
    return &search->operation;
}
