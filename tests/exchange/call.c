#include "call.h"

#include "counters.h"
#include "faults.h"
#include "item_fields.h"
#include "simulator.h"

#include <string.h>
#include <strings.h>

static void answer_error(struct call *call, const struct reply_error *error)
{
    counters_add(call->simulator->counters, "response_codes.", error->code, 1);
    reply_error_message(call->reply, call->operation, error);
    call->index++;
}

void call_error(struct call *call, const char *code)
{
    answer_error(call, &(struct reply_error){.code = code});
}

void call_error_text(struct call *call, const char *code, const char *text)
{
    answer_error(call, &(struct reply_error){.code = code, .text = text});
}

bool call_begin(struct call *call)
{
    const struct fault *fault = call->fault;
    if (fault == NULL || fault->response_code == NULL ||
        (fault->index >= 0 && (unsigned)fault->index != call->index))
        return true;
    answer_error(call, &(struct reply_error){.code = fault->response_code,
                                             .text = fault->message,
                                             .back_off_ms = fault->back_off_ms});
    return false;
}

void call_succeeded(struct call *call)
{
    counters_add(call->simulator->counters, "response_codes.", "NoError", 1);
    call->index++;
}

/* True when what a test has done to the item counts in this operation. */
static bool is_spoiled_here(const struct call *call, const struct item_details *details)
{
    const char *operation = details->operation == NULL ? "GetItem" : details->operation;
    return strcmp(operation, "any") == 0 || strcmp(operation, call->operation) == 0;
}

struct item *call_item(struct call *call, const xmlNode *item_id)
{
    const char *id = xml_attribute(item_id, "Id");
    uint64_t number;
    if (id == NULL || entry_read(id, &number) == ENTRY_MALFORMED) {
        call_error(call, "ErrorInvalidIdMalformed");
        return NULL;
    }
    struct item *item = store_find_item(call->simulator->store, id);
    if (item == NULL || item->folder->mailbox != call->mailbox) {
        call_error(call, "ErrorItemNotFound");
        return NULL;
    }
    const struct item_details *details = item->details;
    if (details != NULL && is_spoiled_here(call, details)) {
        if (details->breakage > call->breakage)
            call->breakage = details->breakage;
        if (details->error != NULL) {
            call_error(call, details->error);
            return NULL;
        }
    }
    return item;
}

bool call_names_current(const struct item *item, const xmlNode *item_id)
{
    const char *change_key = xml_attribute(item_id, "ChangeKey");
    struct buffer current = {0};
    item_append_change_key(item, &current);
    bool is_current = change_key != NULL && strcmp(change_key, buffer_string(&current)) == 0;
    buffer_release(&current);
    return is_current;
}

/* NULL, or why the caller cannot reach the mailbox that a folder's id names. */
static const char *mailbox_refusal(const struct call *call, const xmlNode *folder_id)
{
    const xmlNode *owner = xml_child(folder_id, "Mailbox");
    const char *address = owner == NULL ? NULL : xml_child_text(owner, "EmailAddress");
    if (address != NULL && store_find_mailbox(call->simulator->store, address) == NULL)
        return "ErrorNonExistentMailbox";
    if (call->mailbox == NULL)
        return address == NULL ? "ErrorMissingEmailAddress" : "ErrorAccessDenied";
    if (address != NULL && strcasecmp(call->mailbox->address, address) != 0)
        return "ErrorAccessDenied";
    return NULL;
}

struct folder *call_find_folder(const struct call *call, const xmlNode *folder_id,
                                const char **code)
{
    const char *id = xml_attribute(folder_id, "Id");
    const char *refusal = mailbox_refusal(call, folder_id);
    struct folder *folder = NULL;
    uint64_t number;
    if (refusal == NULL && xml_is(folder_id, "DistinguishedFolderId"))
        folder = mailbox_distinguished(call->mailbox, id == NULL ? "" : id);
    else if (refusal == NULL && (id == NULL || entry_read(id, &number) == ENTRY_MALFORMED))
        refusal = "ErrorInvalidIdMalformed";
    else if (refusal == NULL)
        folder = mailbox_folder_by_id(call->mailbox, id);
    if (folder == NULL)
        *code = refusal == NULL ? "ErrorFolderNotFound" : refusal;
    return folder;
}

struct folder *call_folder(struct call *call, const xmlNode *folder_id)
{
    const char *code = NULL;
    struct folder *folder = call_find_folder(call, folder_id, &code);
    if (folder == NULL)
        call_error(call, code);
    return folder;
}

void call_append_item_id(struct call *call, const struct item *item)
{
    struct buffer *text = &call->reply->text;
    const char *element = item_element_name(item);
    buffer_append_format(text, "<m:Items><t:%s>", element);
    item_append_id_element(item, text);
    buffer_append_format(text, "</t:%s></m:Items>", element);
}
