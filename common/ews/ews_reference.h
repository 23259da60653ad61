/* References of items: "ID CHANGEKEY", or "ID" when the server gave no change key. */
#ifndef EXSYNC_EWS_EWS_REFERENCE_H
#define EXSYNC_EWS_EWS_REFERENCE_H

#include "base/buffer.h"
#include "ews/ews_parser.h"

#include <stdbool.h>
#include <stddef.h>

/* How long the Id of a reference is. */
size_t ews_reference_id_length(const char *reference);

/* Appends the reference that an ItemId names, with a NUL behind it. False, with nothing appended,
 * when it names none. */
bool ews_reference_append(struct buffer *references, const struct ews_attributes *item_id);

/* The Ids of the references that were asked for. */
struct ews_asked {
    char *ids; /* one after the other, each with a NUL behind it; owned */
    size_t *places;
    size_t count;
};

void ews_asked_init(struct ews_asked *asked, const char *const *references, size_t count);
void ews_asked_release(struct ews_asked *asked);

/* Response messages come in the order of the references. An ItemId of another of them means that
 * message `index` is not what it should be; one that nobody asked for is another form of this
 * one's.
 */
bool ews_asked_is_another(const struct ews_asked *asked, size_t index,
                          const struct ews_attributes *item_id);

#endif
