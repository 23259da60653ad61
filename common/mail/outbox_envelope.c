#include "mail/header.h"
#include "mail/outbox_private.h"
#include "mail/resent.h"

#include "base/memory.h"

#include <string.h>
#include <strings.h>

enum { MESSAGE_ID_LENGTH_MAX = 900 };

/* --- single fields --- */

char *outbox_message_id(const struct header_field *field)
{
    if (!header_field_is(field, "Message-ID"))
        return NULL;
    struct buffer text = {0};
    header_field_unfold(field, &text);
    const char *id = buffer_string(&text);
    size_t length = text.length;
    bool right = length > 4 && length <= MESSAGE_ID_LENGTH_MAX && id[0] == '<' &&
                 id[length - 1] == '>' && strcspn(id + 1, "<>") == length - 2;
    for (size_t i = 0; right && i < length; i++)
        right = id[i] > ' ' && id[i] < 0x7f;
    const char *at = strchr(id, '@');
    right = right && at != NULL && at > id + 1 && at[1] != '>';
    char *copy = right ? memory_copy_string(id) : NULL;
    buffer_release(&text);
    return copy;
}

/* Whether the field's first word, up to white space, a semicolon or a comment, is `word`. */
static bool first_word_is(const char *text, const char *word)
{
    size_t length = strcspn(text, " \t;(");
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* Automatic answers and reports: whoever sent them is not to be told of their fate. */
static bool is_from_nobody(const struct header_field *field)
{
    struct buffer text = {0};
    bool nobody = false;
    header_field_unfold(field, &text);
    if (header_field_is(field, "Return-Path"))
        nobody = strcmp(buffer_string(&text), "<>") == 0;
    else if (header_field_is(field, "Auto-Submitted"))
        nobody = !first_word_is(buffer_string(&text), "no");
    else if (header_field_is(field, "Content-Type"))
        nobody = first_word_is(buffer_string(&text), "multipart/report");
    buffer_release(&text);
    return nobody;
}

/* --- lists of addresses --- */

static void add_addresses(const struct header_field *field, struct address_list *list)
{
    struct buffer text = {0};
    header_field_unfold(field, &text);
    address_list_parse(list, buffer_string(&text), text.length);
    buffer_release(&text);
}

static void add_recipients(struct outbox_envelope *envelope, const struct header_field *field,
                           const struct resent_block *resent)
{
    if (resent_is_recipients(resent, field, "To"))
        add_addresses(field, &envelope->to);
    else if (resent_is_recipients(resent, field, "Cc"))
        add_addresses(field, &envelope->cc);
    else if (resent_is_recipients(resent, field, "Bcc"))
        add_addresses(field, &envelope->bcc);
}

/* --- the envelope --- */

static void take_field(struct outbox_envelope *envelope, const struct header_field *field,
                       unsigned *from_fields)
{
    if (header_field_is(field, "From")) {
        add_addresses(field, &envelope->from);
        ++*from_fields;
    }
    if (header_field_is(field, "Sender"))
        add_addresses(field, &envelope->sender);
    if (envelope->message_id == NULL)
        envelope->message_id = outbox_message_id(field);
    envelope->null_sender |= is_from_nobody(field);
    if (envelope->subject == NULL && header_field_is(field, "Subject")) {
        struct buffer text = {0};
        header_field_text(field, &text);
        envelope->subject = buffer_take(&text);
    }
}

void outbox_envelope_read(struct outbox_envelope *envelope, const char *header, size_t length)
{
    struct header_field field;
    const struct resent_block resent = resent_find(header, length);
    size_t offset = 0;
    unsigned from_fields = 0;
    while (header_next(header, length, &offset, &field)) {
        add_recipients(envelope, &field, &resent);
        take_field(envelope, &field, &from_fields);
    }
    if (from_fields > 1)
        envelope->problem = "It has several From fields.";
    else if (envelope->from.count == 0)
        envelope->problem = "It has no From address.";
}

void outbox_envelope_release(struct outbox_envelope *envelope)
{
    memory_free(envelope->submitter_name);
    memory_free(envelope->groups);
    address_list_release(&envelope->from);
    address_list_release(&envelope->sender);
    address_list_release(&envelope->to);
    address_list_release(&envelope->cc);
    address_list_release(&envelope->bcc);
    memory_free(envelope->subject);
    memory_free(envelope->message_id);
    *envelope = (struct outbox_envelope){0};
}
