/* One EWS operation while it is carried out. */
#ifndef EXCHANGE_CALL_H
#define EXCHANGE_CALL_H

#include "mailbox_store.h"
#include "reply.h"
#include "soap.h"

#include <stdbool.h>
#include <stddef.h>

struct simulator;
struct fault;

struct call {
    struct simulator *simulator;
    const char *operation;
    xmlNode *request;
    struct mailbox *mailbox;     /* the one impersonated, or the account's own; NULL: none */
    struct reply *reply;         /* open: messages are appended */
    const struct fault *fault;   /* answers items with a code; or NULL */
    unsigned index;              /* of the item or folder in the request, from 0 */
    enum item_breakage breakage; /* the worst of the items in it */
};

/* Ends the current item of the request with an error. */
void call_error(struct call *call, const char *code);
void call_error_text(struct call *call, const char *code, const char *text);

/* Begins the next item or folder of the request. False when a scripted fault has answered it
 * already: go on to the next one. */
bool call_begin(struct call *call);

/* Ends the current item, that was answered with success. */
void call_succeeded(struct call *call);

/* Finds the item that an ItemId element names. NULL when it was answered with an error: there is no
 * such item for this caller, or a test has spoiled it. */
struct item *call_item(struct call *call, const xmlNode *item_id);

/* True when the ItemId element names the item as it is now. */
bool call_names_current(const struct item *item, const xmlNode *item_id);

/* Finds the folder that a FolderId or DistinguishedFolderId element names. NULL when it was
 * answered with an error. */
struct folder *call_folder(struct call *call, const xmlNode *folder_id);

/* The same without an answer: sets `code` when it is not there. */
struct folder *call_find_folder(const struct call *call, const xmlNode *folder_id,
                                const char **code);

/* Appends <m:Items><t:Message><t:ItemId .../></t:Message></m:Items>. */
void call_append_item_id(struct call *call, const struct item *item);

#endif
