/* What the tests of ews/ share: answers as bytes, fed in pieces, and what a reader made of them. */
#ifndef EXSYNC_TESTS_UNIT_EWS_FEED_H
#define EXSYNC_TESTS_UNIT_EWS_FEED_H

#include "base/buffer.h"
#include "base/memory.h"
#include "ews/ews_messages.h"
#include "ews/ews_page.h"
#include "ews/ews_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define SOAP_OPEN                                                                  \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>" \
    "<h:ServerVersionInfo MajorVersion=\"15\" "                                    \
    "xmlns:h=\"http://schemas.microsoft.com/exchange/services/2006/types\"/></s:Header><s:Body>"
#define SOAP_CLOSE "</s:Body></s:Envelope>"
#define EWS_NAMESPACES                                                          \
    " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"" \
    " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\""
#define ANSWER(operation, messages)                                                               \
    XML_HEAD SOAP_OPEN "<m:" operation "Response" EWS_NAMESPACES "><m:ResponseMessages>" messages \
                       "</m:ResponseMessages></m:" operation "Response>" SOAP_CLOSE

/* The whole file; a test's folder is the project's root. */
static inline struct buffer load_file(const char *path)
{
    struct buffer content = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s: cannot be read", path);
    char bytes[4096];
    size_t length;
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_append(&content, bytes, length);
    fclose(file);
    return content;
}

/* Feeds from memory that ends where the piece ends, so that a sanitizer sees what reads beyond. */
static inline bool feed_exactly(struct ews_response *response, struct ews_parsers *parsers,
                                const char *bytes, size_t length)
{
    char *exact = memory_copy_bytes(bytes, length);
    char *tight = malloc(length > 0 ? length : 1);
    assert_non_null(tight);
    memcpy(tight, exact, length);
    memory_free(exact);
    bool more = ews_response_feed(response, parsers, tight, length);
    free(tight);
    return more;
}

/* Feeds in pieces of `piece` bytes, the first one of `first` when that is not 0. */
static inline void feed_pieces(struct ews_response *response, struct ews_parsers *parsers,
                               const char *bytes, size_t length, size_t first, size_t piece)
{
    size_t next = first == 0 ? piece : first;
    for (size_t at = 0; at < length;) {
        size_t now = next < length - at ? next : length - at;
        next = piece;
        if (!feed_exactly(response, parsers, bytes + at, now))
            return;
        at += now;
    }
}

static inline struct failure finish_with(struct ews_response *response, uint16_t status)
{
    const struct ews_exchange exchange = {.status = status};
    return ews_response_finish(response, &exchange);
}

#endif
