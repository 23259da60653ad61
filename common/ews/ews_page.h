/* One page of a folder, read out of a FindItem answer. The strings of all items stand in one
 * buffer, whatever their number. Source: MS-OXWSSRCH, FindItemResponseMessageType. */
#ifndef EXSYNC_EWS_EWS_PAGE_H
#define EXSYNC_EWS_EWS_PAGE_H

#include "base/buffer.h"
#include "ews/backend.h"
#include "ews/ews_response.h"

struct ews_page {
    /* Set by ews_page_begin. */
    struct ews_response *response; /* the answer it is read from */
    int64_t offset;
    uint32_t limit;
    uint64_t test_key; /* set after it; 0: nothing is a test message */

    struct backend_item *items;
    size_t *places; /* where each item's reference begins in `references` */
    size_t count;
    size_t capacity;
    struct buffer references; /* each with a NUL behind it */
    struct buffer message_id; /* of the item that is read */
    struct buffer search_key; /* likewise, in base64 */
    bool has_id;
    bool is_search_key;    /* the extended property that is read */
    bool is_submission_id; /* likewise */
    bool answered;         /* the response message came */
    bool has_root;
    bool told_last; /* the server said whether the page is the last */
    bool last;
    int64_t total;
    int64_t next_offset;
    struct failure failure; /* what the response message says */
};

void ews_page_begin(struct ews_page *page, struct ews_response *response, int64_t offset,
                    uint32_t limit);
void ews_page_release(struct ews_page *page);

/* The reader's functions; each is given the page. */
void ews_page_start(struct ews_page *page, enum ews_element element,
                    const struct ews_attributes *attributes);
void ews_page_end(struct ews_page *page, enum ews_element element, const char *text, size_t length);
void ews_page_message_end(struct ews_page *page, const struct failure *failure);

/* After the answer came whole: what the page is. The failure is set when it is none. */
struct failure ews_page_finish(struct ews_page *page, struct backend_page *result);

struct ews_limits ews_page_limits(uint32_t limit);

#endif
