#include "ews/response_codes.h"

#include "ews/response_meanings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *name, const void *code)
{
    return strcmp(name, ((const struct response_code *)code)->name);
}

const struct response_code *response_code_table(size_t *count)
{
    *count = response_code_count;
    return response_codes;
}

static const struct response_code *find_code(const char *code)
{
    return bsearch(code, response_codes, response_code_count, sizeof response_codes[0],
                   compare_names);
}

static const struct response_meaning *meaning_of(const char *code, enum response_place place)
{
    const struct response_code *found = find_code(code);
    /* A fault must be one, whatever it calls itself. */
    if (found == NULL || found->meaning == &meaning_success)
        return &meaning_unknown_code;
    /* No item was asked for, so what is not there is the folder. */
    if (found->meaning == &meaning_item_gone && place == RESPONSE_OF_MAILBOX)
        return &meaning_folder_missing;
    return found->meaning;
}

struct failure response_failure_of(const char *step, const struct response_meaning *meaning,
                                   enum response_place place)
{
    struct failure failure = {
        .category = meaning->category,
        .scope = meaning->scope,
        .permanent = meaning->permanent,
        .sentence = meaning->sentence,
        .remedy = meaning->remedy,
    };
    if (place == RESPONSE_OF_ITEM) {
        failure.gone = meaning->gone;
        failure.divisible = meaning->divisible && meaning->scope != FAILURE_SCOPE_ITEM;
    } else {
        failure.divisible = place == RESPONSE_OF_ITEMS &&
                            (meaning->divisible || meaning->scope == FAILURE_SCOPE_ITEM);
        if (failure.scope == FAILURE_SCOPE_ITEM)
            failure.scope = FAILURE_SCOPE_MAILBOX;
    }
    failure_set_step(&failure, step);
    return failure;
}

struct failure response_code_failure(const char *step, const char *code, enum response_place place)
{
    struct failure failure = response_failure_of(step, meaning_of(code, place), place);
    failure_set_code(&failure, code[0] == '\0' ? "NoResponseCode" : code);
    return failure;
}

bool response_folder_exists(const struct failure *failure)
{
    return strcmp(failure->code, "ErrorFolderExists") == 0;
}

bool response_is_item_missing(const struct failure *failure)
{
    const struct response_code *found = find_code(failure->code);
    return found != NULL && found->meaning == &meaning_item_gone;
}

/* NULL for what this program found itself: an answer that cannot be understood, say. */
static const struct response_meaning *meaning_of_failure(const struct failure *failure)
{
    const struct response_code *found = find_code(failure->code);
    if (found != NULL)
        return found->meaning;
    return response_status_meaning(failure->code);
}

bool response_promises_nothing_done(const struct failure *failure)
{
    const struct response_meaning *meaning = meaning_of_failure(failure);
    return meaning != NULL && meaning->nothing_done;
}

bool response_is_unsupported(const struct failure *failure)
{
    const struct response_meaning *meaning = meaning_of_failure(failure);
    return meaning != NULL && meaning->unsupported;
}

bool response_may_be_of_one(const struct failure *failure)
{
    const struct response_meaning *meaning = meaning_of_failure(failure);
    if (meaning != NULL)
        return meaning->divisible || (meaning->scope == FAILURE_SCOPE_ITEM && !meaning->gone);
    return failure->scope == FAILURE_SCOPE_MAILBOX &&
           (failure->category == FAILURE_PROTOCOL || failure->category == FAILURE_NETWORK);
}

/* --- failures that this program finds in an answer that came --- */

enum { ANSWERED = 200 };

static const char see_server[] =
    "If it lasts, check the url of the profile, the server and what stands "
    "between (a proxy, a load balancer). exsyncd tests again by itself.";

static const struct response_meaning unreadable = {
    .category = FAILURE_PROTOCOL,
    .scope = FAILURE_SCOPE_MAILBOX,
    .divisible = true,
    .sentence = "The server's answer cannot be understood.",
    .remedy = see_server,
};

struct failure response_protocol_failure(const char *step, const char *code, const char *text,
                                         enum response_place place)
{
    struct failure failure = response_failure_of(step, &unreadable, place);
    failure.http_status = ANSWERED;
    failure_set_code(&failure, code);
    failure_set_text(&failure, text, strlen(text));
    return failure;
}

#define ITEM_FAULT(code_, category_, permanent_, sentence_, remedy_) \
    {                                                                \
        .code = code_, .meaning = {                                  \
            .category = FAILURE_##category_,                         \
            .scope = FAILURE_SCOPE_ITEM,                             \
            .permanent = permanent_,                                 \
            .sentence = sentence_,                                   \
            .remedy = remedy_                                        \
        }                                                            \
    }

static const struct {
    const char *code;
    struct response_meaning meaning;
} item_faults[] = {
    [RESPONSE_NO_MIME] = ITEM_FAULT(
        "NoMimeContent", ITEM, true, "The server gave the message without its Internet form.",
        "Read the message in the mailbox; nothing else is held up by it."),
    [RESPONSE_BAD_BASE64] = ITEM_FAULT("InvalidBase64", PROTOCOL, false,
                                       "The message arrived damaged from the server.", see_server),
    [RESPONSE_TOO_LARGE] = ITEM_FAULT(
        "MessageTooLarge", ITEM, true, "The message is larger than the configuration allows.",
        "Raise max_message_size, or read the message in the mailbox."),
    [RESPONSE_MISSING] = ITEM_FAULT("NoResponseMessage", PROTOCOL, false,
                                    "The server did not answer for this message.", see_server),
    [RESPONSE_WRONG_ITEM] = ITEM_FAULT("WrongItem", PROTOCOL, false,
                                       "The server answered with another message.", see_server),
    [RESPONSE_NO_REFERENCE] =
        ITEM_FAULT("NoItemId", PROTOCOL, false,
                   "The server did not say under which name it keeps the message.", see_server),
    [RESPONSE_NO_STATE] =
        ITEM_FAULT("NoDraftState", PROTOCOL, false,
                   "The server did not say whether the message was submitted.", see_server),
};

struct failure response_item_failure(const char *step, enum response_item_fault fault)
{
    struct failure failure =
        response_failure_of(step, &item_faults[fault].meaning, RESPONSE_OF_ITEM);
    failure.http_status = ANSWERED;
    failure_set_code(&failure, item_faults[fault].code);
    return failure;
}

struct failure response_folder_missing(const char *step, const char *path)
{
    struct failure failure =
        response_failure_of(step, &meaning_folder_missing, RESPONSE_OF_MAILBOX);
    failure.http_status = ANSWERED;
    failure_set_code(&failure, "FolderNotFound");
    failure_format_text(&failure, "no folder \"%s\"", path);
    return failure;
}
