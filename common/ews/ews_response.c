#include "ews/ews_response.h"

#include "base/text.h"
#include "ews/ews_value.h"
#include "ews/response_codes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- words from the answer --- */

static void keep_words(char *field, size_t size, const char *text, size_t length)
{
    ews_value_trim(&text, &length);
    text_copy_line(field, size, text, length);
}

/* As with Retry-After: nobody but a person takes a mailbox out of service for longer. */
enum { BACK_OFF_MAX_MS = 24 * 60 * 60 * 1000 };

/* Milliseconds; what is no number is none. */
static uint32_t read_back_off(const char *text, size_t length)
{
    ews_value_trim(&text, &length);
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && i > 0)
            break;
        if (!isdigit((unsigned char)text[i]))
            return 0;
        if (value < BACK_OFF_MAX_MS)
            value = value * 10 + (uint64_t)(text[i] - '0');
    }
    return value < BACK_OFF_MAX_MS ? (uint32_t)value : BACK_OFF_MAX_MS;
}

static bool attribute_is(const struct ews_attributes *attributes, const char *name,
                         const char *expected)
{
    size_t length;
    const char *value = ews_attribute(attributes, name, &length);
    return value != NULL && length == strlen(expected) && memcmp(value, expected, length) == 0;
}

/* --- response messages --- */

static void forget_words(struct ews_response *response)
{
    response->code[0] = '\0';
    response->fault_code[0] = '\0';
    response->text[0] = '\0';
    response->back_off_ms = 0;
}

static void begin_message(struct ews_response *response, const struct ews_attributes *attributes)
{
    if (response->messages == response->expected) {
        ews_response_stop(response, "UnexpectedMessage",
                          "the server answered more than it was asked");
        return;
    }
    response->messages++;
    response->in_message = true;
    forget_words(response);
    response->message_class = EWS_CLASS_NONE;
    if (attribute_is(attributes, "ResponseClass", "Success"))
        response->message_class = EWS_CLASS_SUCCESS;
    else if (attribute_is(attributes, "ResponseClass", "Warning"))
        response->message_class = EWS_CLASS_WARNING;
    else if (attribute_is(attributes, "ResponseClass", "Error"))
        response->message_class = EWS_CLASS_ERROR;
}

static struct failure failure_of_words(const struct ews_response *response,
                                       enum response_place place)
{
    struct failure failure = response_code_failure(response->step, response->code, place);
    failure_set_text(&failure, response->text, strlen(response->text));
    failure.retry_after_ms = response->back_off_ms;
    return failure;
}

/* A code says more than a class: a success or warning with an error's code is none. */
static bool message_succeeded(const struct ews_response *response)
{
    if (response->message_class == EWS_CLASS_ERROR)
        return false;
    if (response->code[0] == '\0')
        return response->message_class == EWS_CLASS_SUCCESS;
    return strcmp(response->code, "NoError") == 0;
}

static void end_message(struct ews_response *response)
{
    response->in_message = false;
    if (message_succeeded(response)) {
        response->reader->message_end(response->argument, response->messages - 1, NULL);
        return;
    }
    if (strcmp(response->code, "NoError") == 0)
        response->code[0] = '\0';
    struct failure failure =
        failure_of_words(response, response->items ? RESPONSE_OF_ITEM : RESPONSE_OF_MAILBOX);
    failure.http_status = 200;
    failure.in_doubt = response->changes && !response_promises_nothing_done(&failure);
    response->reader->message_end(response->argument, response->messages - 1, &failure);
}

/* --- faults --- */

/* The code of a fault stands in its detail; when that is missing, faultcode often has it, too. */
static void end_fault(struct ews_response *response)
{
    response->in_fault = false;
    response->fault = true;
    if (response->code[0] != '\0')
        return;
    const char *colon = strrchr(response->fault_code, ':');
    const char *local = colon == NULL ? response->fault_code : colon + 1;
    memmove(response->code, local, strlen(local) + 1);
}

/* --- the server --- */

static uint32_t version_part(const struct ews_attributes *attributes, const char *name)
{
    size_t length = 0;
    const char *value = ews_attribute(attributes, name, &length);
    int64_t number = value == NULL ? 0 : ews_value_number(value, length, 0);
    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void take_version(struct ews_response *response, const struct ews_attributes *attributes)
{
    response->has_version = true;
    response->version = (struct backend_version){
        .major = version_part(attributes, "MajorVersion"),
        .minor = version_part(attributes, "MinorVersion"),
        .build = version_part(attributes, "MajorBuildNumber"),
        .revision = version_part(attributes, "MinorBuildNumber"),
    };
}

/* --- what the parser tells --- */

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    struct ews_response *response = argument;
    switch (element) {
    case EWS_ELEMENT_SERVER_VERSION:
        take_version(response, attributes);
        return;
    case EWS_ELEMENT_FAULT:
        response->in_fault = true;
        forget_words(response);
        return;
    case EWS_ELEMENT_RESPONSE_MESSAGE:
        begin_message(response, attributes);
        return;
    case EWS_ELEMENT_MESSAGE_VALUE:
        response->back_off = attribute_is(attributes, "Name", "BackOffMilliseconds");
        return;
    default:
        break;
    }
    if (response->in_message && response->reader->start != NULL)
        response->reader->start(response->argument, element, attributes);
}

/* Returns false when the element is not one of those that faults and messages have in common. */
static bool take_words(struct ews_response *response, enum ews_element element, const char *text,
                       size_t length)
{
    switch (element) {
    case EWS_ELEMENT_RESPONSE_CODE:
        keep_words(response->code, sizeof response->code, text, length);
        return true;
    case EWS_ELEMENT_FAULT_CODE:
        keep_words(response->fault_code, sizeof response->fault_code, text, length);
        return true;
    case EWS_ELEMENT_FAULT_STRING:
        if (response->text[0] == '\0')
            keep_words(response->text, sizeof response->text, text, length);
        return true;
    case EWS_ELEMENT_FAULT_MESSAGE:
    case EWS_ELEMENT_MESSAGE_TEXT:
        if (length > 0)
            keep_words(response->text, sizeof response->text, text, length);
        return true;
    case EWS_ELEMENT_MESSAGE_VALUE:
        if (response->back_off)
            response->back_off_ms = read_back_off(text, length);
        response->back_off = false;
        return true;
    default:
        return false;
    }
}

static void on_end(void *argument, enum ews_element element, const char *text, size_t length)
{
    struct ews_response *response = argument;
    if (take_words(response, element, text, length))
        return;
    if (element == EWS_ELEMENT_FAULT)
        end_fault(response);
    else if (element == EWS_ELEMENT_RESPONSE_MESSAGE)
        end_message(response);
    else if (response->in_message && response->reader->end != NULL)
        response->reader->end(response->argument, element, text, length);
}

static void on_mime(void *argument, const char *text, size_t length)
{
    struct ews_response *response = argument;
    response->reader->mime(response->argument, text, length);
}

static void on_mime_damaged(void *argument)
{
    struct ews_response *response = argument;
    response->reader->mime_damaged(response->argument);
}

static const struct ews_parser_handler handler = {
    .start = on_start,
    .end = on_end,
};

static const struct ews_parser_handler handler_with_mime = {
    .start = on_start,
    .end = on_end,
    .mime = on_mime,
    .mime_damaged = on_mime_damaged,
};

/* --- the answer --- */

void ews_response_begin(struct ews_response *response, const char *step,
                        const struct ews_reader *reader, void *argument,
                        const struct ews_limits *limits, size_t expected, bool items)
{
    *response = (struct ews_response){
        .reader = reader,
        .argument = argument,
        .step = step,
        .limits = *limits,
        .expected = expected,
        .items = items,
    };
}

bool ews_response_feed(struct ews_response *response, struct ews_parsers *parsers,
                       const char *bytes, size_t length)
{
    if (response->parser == NULL) {
        response->parser = ews_parsers_take(parsers);
        ews_parser_begin(response->parser,
                         response->reader->mime == NULL ? &handler : &handler_with_mime, response,
                         &response->limits);
    }
    return ews_parser_feed(response->parser, bytes, length);
}

void ews_response_stop(struct ews_response *response, const char *code, const char *text)
{
    ews_parser_stop(response->parser, code, text);
}

struct failure ews_response_finish(struct ews_response *response,
                                   const struct ews_exchange *exchange)
{
    enum response_place place = response->items ? RESPONSE_OF_ITEMS : RESPONSE_OF_MAILBOX;
    bool complete = response->parser != NULL && ews_parser_finish(response->parser);
    struct failure failure = {0};
    const char *text = "the answer is empty";
    const char *code = "XmlMalformed";
    if (response->fault) {
        failure = failure_of_words(response, place);
    } else if (exchange->status != 200) {
        failure = response_status_failure(response->step, exchange->status, exchange->sent_bytes,
                                          exchange->retry_after_ms, place);
    } else if (!complete) {
        if (response->parser != NULL)
            code = ews_parser_error(response->parser, &text);
        failure = response_protocol_failure(response->step, code, text, place);
    }
    if (failure_is_set(&failure)) {
        failure.http_status = exchange->status;
        failure.in_doubt = response->changes && !response_promises_nothing_done(&failure);
        if (failure.retry_after_ms < exchange->retry_after_ms)
            failure.retry_after_ms = exchange->retry_after_ms;
    }
    return failure;
}

void ews_response_release(struct ews_response *response, struct ews_parsers *parsers)
{
    ews_parsers_give(parsers, response->parser);
    response->parser = NULL;
}
