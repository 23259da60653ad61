/* What each response code, HTTP status and unreadable answer means: THE table.
 *
 * A line for every code of the schema's ResponseCodeType (response_codes_table.c) names a meaning
 * (response_meanings.c): category, scope, permanence, the sentence and the remedy. Nothing else in
 * the program compares response codes. Sources: Microsoft's documentation of ResponseCode and
 * ServiceError, MS-OXWSCDATA section 2.2.5.24, and how Exchange is known to use them. */
#ifndef EXSYNC_EWS_RESPONSE_CODES_H
#define EXSYNC_EWS_RESPONSE_CODES_H

#include "base/failure.h"

#include <stddef.h>

struct response_meaning {
    enum failure_category category;
    enum failure_scope scope;
    bool permanent;
    bool divisible; /* for a request of several items that fails with it as a whole */
    bool gone;      /* the item is not there any more */
    /* A promise: what was asked for is refused before anything is done. What does not promise it
     * may have been carried out all the same. */
    bool nothing_done;
    bool unsupported; /* the server may be one that does not know the operation */
    const char *sentence;
    const char *remedy;
};

struct response_code {
    const char *name;
    const struct response_meaning *meaning;
};

/* How far a code reaches depends on where it stands. */
enum response_place {
    RESPONSE_OF_ITEM,    /* in the response message of one item */
    RESPONSE_OF_ITEMS,   /* for a whole request of items: one of them may be the cause */
    RESPONSE_OF_MAILBOX, /* for a whole request that is not of items */
};

/* Codes that are not in the table are transient, with the code as it came. `code` "" is told as a
 * refusal without a code. */
struct failure response_code_failure(const char *step, const char *code, enum response_place place);

/* An HTTP status other than 200 whose body is no SOAP fault. `sent_bytes`: how large the request
 * was: a large one may be what the server refuses. */
struct failure response_status_failure(const char *step, uint16_t status, uint64_t sent_bytes,
                                       uint32_t retry_after_ms, enum response_place place);

/* An answer that cannot be understood. `code` is a short static name such as XmlMalformed. */
struct failure response_protocol_failure(const char *step, const char *code, const char *text,
                                         enum response_place place);

/* What is said of one item by this program itself, not by the server. */
enum response_item_fault {
    RESPONSE_NO_MIME,      /* success without a message in it */
    RESPONSE_BAD_BASE64,   /* the message's bytes are damaged */
    RESPONSE_TOO_LARGE,    /* larger than is allowed here */
    RESPONSE_MISSING,      /* the server did not answer for the item */
    RESPONSE_WRONG_ITEM,   /* it answered with another item */
    RESPONSE_NO_REFERENCE, /* success without the name of what was made */
    RESPONSE_NO_STATE,     /* it did not say whether a draft was submitted */
};
struct failure response_item_failure(const char *step, enum response_item_fault fault);

/* A folder that the configuration names and the mailbox does not have. */
struct failure response_folder_missing(const char *step, const char *path);

/* The folder that was to be created is there already. */
bool response_folder_exists(const struct failure *failure);

/* The server has no such item; not that it says it has deleted it. */
bool response_is_item_missing(const struct failure *failure);

/* Whether what the server said (a code, an HTTP status) promises that nothing was done. */
bool response_promises_nothing_done(const struct failure *failure);

/* Whether what the server said may mean that it does not know the operation. */
bool response_is_unsupported(const struct failure *failure);

/* Whether a request that failed so, of which a part may be asked for, can have failed for one of
 * the things it asked for. */
bool response_may_be_of_one(const struct failure *failure);

/* The whole table, in the order of the names; for its test. */
const struct response_code *response_code_table(size_t *count);

#endif
