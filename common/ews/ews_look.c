#include "ews/ews_operation.h"
#include "ews/ews_reference.h"
#include "ews/ews_value.h"
#include "ews/response_codes.h"

#include "base/memory.h"

static const char STEP[] = "GetItem";

enum told { UNTOLD, TOLD_NO, TOLD_YES };

struct look {
    struct backend_operation operation; /* first */
    struct ews_asked asked;
    struct backend_looked *looked;
    size_t *places; /* of the references as they are now */
    struct buffer references;
    size_t answered; /* the one that is read comes next */
    bool has_id;
    bool wrong;
    enum told draft;
    enum told submitted;
    backend_look_done *done;
    void *argument;
};

/* --- reading --- */

static void take_id(struct look *look, const struct ews_attributes *attributes)
{
    size_t place = look->references.length;
    look->wrong = look->wrong || look->has_id ||
                  ews_asked_is_another(&look->asked, look->answered, attributes) ||
                  !ews_reference_append(&look->references, attributes);
    look->has_id = true;
    look->places[look->answered] = place;
}

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    if (element == EWS_ELEMENT_ITEM_ID)
        take_id(argument, attributes);
}

static enum told read_told(const char *text, size_t length)
{
    ews_value_trim(&text, &length);
    return ews_value_boolean(text, length) ? TOLD_YES : TOLD_NO;
}

static void on_end(void *argument, enum ews_element element, const char *text, size_t length)
{
    struct look *look = argument;
    if (element == EWS_ELEMENT_IS_DRAFT)
        look->draft = read_told(text, length);
    else if (element == EWS_ELEMENT_IS_SUBMITTED)
        look->submitted = read_told(text, length);
}

/* What the server says must be whole: a draft that is taken for one that waits is sent again. One
 * that kept its id and is no draft any more has been sent. */
static struct backend_looked judge(const struct look *look)
{
    if (look->wrong || !look->has_id)
        return (struct backend_looked){.failure = response_item_failure(STEP, RESPONSE_WRONG_ITEM)};
    if (look->submitted == TOLD_YES)
        return (struct backend_looked){.state = BACKEND_DRAFT_SUBMITTED};
    if (look->draft == UNTOLD || look->submitted == UNTOLD)
        return (struct backend_looked){.failure = response_item_failure(STEP, RESPONSE_NO_STATE)};
    return (struct backend_looked){
        .state = look->draft == TOLD_YES ? BACKEND_DRAFT_WAITING : BACKEND_DRAFT_GONE,
    };
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    struct look *look = argument;
    struct backend_looked *looked = &look->looked[index];
    if (failure == NULL)
        *looked = judge(look);
    else if (response_is_item_missing(failure))
        looked->state = BACKEND_DRAFT_GONE;
    else
        looked->failure = *failure;
    look->answered = index + 1;
    look->has_id = look->wrong = false;
    look->draft = look->submitted = UNTOLD;
}

static const struct ews_reader reader = {
    .start = on_start,
    .end = on_end,
    .message_end = on_message_end,
};

/* --- the operation --- */

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct look *look = (struct look *)operation;
    size_t count = look->asked.count;
    if (failure != NULL) {
        look->done(look->argument, failure, NULL, 0);
        return true;
    }
    for (size_t i = look->answered; i < count; i++)
        look->looked[i].failure = response_item_failure(STEP, RESPONSE_MISSING);
    for (size_t i = 0; i < look->answered; i++) {
        enum backend_draft_state state = look->looked[i].state;
        if (state == BACKEND_DRAFT_WAITING || state == BACKEND_DRAFT_SUBMITTED)
            look->looked[i].reference = look->references.data + look->places[i];
    }
    look->done(look->argument, NULL, look->looked, count);
    return true;
}

static void on_release(struct backend_operation *operation)
{
    struct look *look = (struct look *)operation;
    ews_asked_release(&look->asked);
    memory_free(look->looked);
    memory_free(look->places);
    buffer_release(&look->references);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct look),
    .answered = on_answered,
    .release = on_release,
};

struct backend_operation *backend_look_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *const *references, size_t count,
                                             backend_look_done *done, void *argument)
{
    struct look *look = ews_operation_create(backend, &kind, mailbox);
    struct backend_operation *operation = &look->operation;
    ews_asked_init(&look->asked, references, count);
    look->looked = memory_allocate_array(count + 1, sizeof *look->looked);
    look->places = memory_allocate_array(count + 1, sizeof *look->places);
    look->done = done;
    look->argument = argument;
    const struct ews_sender sender = ews_operation_sender(operation);
    ews_request_look(&operation->request.body, &sender, references, count);
    ews_operation_send_for_items(operation, STEP, &reader, count, false);
    return operation;
}
