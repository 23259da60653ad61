/* The messages of a batch of items, read out of a GetItem answer as it arrives. Nothing of a
 * message is kept: its base64 is decoded piece by piece into the receiver's hands.
 *
 * The receiver says how much it can take (ready); between two questions at most EWS_FEED_MAX bytes
 * of the answer are read, which are fewer bytes of messages than BACKEND_DATA_MAX, what libxml2 may
 * have held back of the feed before included. Source: MS-OXWSCORE, GetItem. */
#ifndef EXSYNC_EWS_EWS_MESSAGES_H
#define EXSYNC_EWS_EWS_MESSAGES_H

#include "ews/backend.h"
#include "ews/base64.h"
#include "ews/ews_reference.h"
#include "ews/ews_response.h"

struct ews_messages {
    /* Set by ews_messages_begin. */
    const struct backend_receiver *receiver;
    void *argument;
    const bool *cancelled; /* set when the receiver must not be called any more */
    size_t count;
    uint64_t max_message_size;
    struct ews_asked asked;

    size_t ended; /* items whose end was told; the next one is the one that is read */
    bool begun;   /* its beginning was told */
    bool has_mime;
    bool too_large;
    bool damaged;
    bool wrong;
    uint64_t size;
    struct base64 base64;
};

void ews_messages_begin(struct ews_messages *messages, const struct backend_receiver *receiver,
                        void *argument, const bool *cancelled, const char *const *references,
                        size_t count, uint64_t max_message_size);
void ews_messages_release(struct ews_messages *messages);

/* The reader's functions. */
void ews_messages_start(struct ews_messages *messages, enum ews_element element,
                        const struct ews_attributes *attributes);
void ews_messages_mime(struct ews_messages *messages, const char *text, size_t length);
void ews_messages_mime_damaged(struct ews_messages *messages);
void ews_messages_message_end(struct ews_messages *messages, size_t index,
                              const struct failure *failure);

/* The answer came whole: ends the items that the server left out. */
void ews_messages_finish(struct ews_messages *messages);

/* The answer broke off. A message that was too large by then is told as that: its size may be why.
 */
void ews_messages_break(struct ews_messages *messages);

struct ews_limits ews_messages_limits(size_t count, uint64_t max_message_size);

#endif
