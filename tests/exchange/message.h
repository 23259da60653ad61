/* A message as it was loaded or submitted: never changed afterwards, shared by all items that hold
 * it, in however many mailboxes.
 *
 * What answers need is prepared once: MimeContent in base64, and the XML of the properties that
 * FindItem asks for again and again. */
#ifndef EXCHANGE_MESSAGE_H
#define EXCHANGE_MESSAGE_H

#include "base/buffer.h"
#include "mime_header.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MimeContent in base64: head, then block repeated, then tail. A message from a file is all head; a
 * large generated one repeats its block, so that it takes next to no memory. */
struct message_content {
    char *head;
    char *block;
    char *tail;
    size_t head_length;
    size_t block_length;
    size_t block_count;
    size_t tail_length;
};

/* Elements whose XML is prepared; NULL where the message has no such property. */
enum message_fragment {
    MESSAGE_SUBJECT,
    MESSAGE_FROM,      /* name and address, as GetItem answers */
    MESSAGE_FROM_NAME, /* name only, as FindItem answers */
    MESSAGE_SENDER,
    MESSAGE_SENDER_NAME,
    MESSAGE_INTERNET_ID,
    MESSAGE_FRAGMENTS
};

struct message {
    atomic_uint references;
    char *source; /* name of the file, or what the loader was told */
    struct message_content content;
    size_t mime_size;  /* bytes of MIME */
    char *item_class;  /* IPM.Note ... */
    char *subject;     /* never NULL */
    char *internet_id; /* Message-ID with its angle brackets; NULL when there is none */
    char *in_reply_to; /* NULL when there is none, as the next ones */
    char *references_field;
    struct mime_addresses from;
    struct mime_addresses sender;
    struct mime_addresses to;
    struct mime_addresses cc;
    struct mime_addresses bcc;
    struct mime_addresses reply_to;
    struct mime_addresses receipt_to; /* Disposition-Notification-To */
    int64_t sent;                     /* Date; -1 when there is none */
    bool has_attachments;
    char *fragments[MESSAGE_FRAGMENTS];
};

/* A message of these bytes; a lone LF becomes CRLF. One reference, the caller's. */
struct message *message_create(const char *source, const char *bytes, size_t length);

/* A generated message of about that many MB. */
struct message *message_generate(const char *source, size_t megabytes);

struct message *message_reference(struct message *message);

/* NULL is allowed; the last release frees it. */
void message_release(struct message *message);

/* Appends the MIME bytes. */
void message_append_mime(const struct message *message, struct buffer *mime);

/* Bytes of MimeContent in base64. */
size_t message_content_length(const struct message *message);

#endif
