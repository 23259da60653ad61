#include "mail/header.h"
#include "mail/outbox_private.h"

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

static bool add_addresses(const struct header_field *field, const char *name,
                          struct address_list *list)
{
    if (!header_field_is(field, name))
        return false;
    struct buffer text = {0};
    header_field_unfold(field, &text);
    address_list_parse(list, buffer_string(&text), text.length);
    buffer_release(&text);
    return true;
}

/* --- Resent-*: each time a message is sent again a block of them is put before the others --- */

enum { RESENT_NAMES = 8 };
static const char *const resent_names[RESENT_NAMES] = {
    "Resent-To",     "Resent-Cc",   "Resent-Bcc",        "Resent-Date",
    "Resent-Sender", "Resent-From", "Resent-Message-ID", "Resent-Reply-To",
};

struct resent {
    bool found; /* the most recent block that has recipients is complete */
    bool has_recipients;
    unsigned seen; /* a bit for each name of the block */
    struct address_list to, cc, bcc;
};

/* A block ends with a field that is none of it, or that it has already. Once it is found, this
 * changes nothing more. */
static void resent_block_ends(struct resent *resent)
{
    resent->found = resent->has_recipients;
    resent->seen = 0;
}

static void resent_take(struct resent *resent, const struct header_field *field)
{
    unsigned name = 0;
    while (name < RESENT_NAMES && !header_field_is(field, resent_names[name]))
        name++;
    if (name == RESENT_NAMES || (resent->seen & 1U << name) != 0)
        resent_block_ends(resent);
    if (resent->found || name == RESENT_NAMES)
        return;
    resent->seen |= 1U << name;
    resent->has_recipients |= add_addresses(field, "Resent-To", &resent->to) ||
                              add_addresses(field, "Resent-Cc", &resent->cc) ||
                              add_addresses(field, "Resent-Bcc", &resent->bcc);
}

static void move_list(struct address_list *to, struct address_list *from)
{
    address_list_release(to);
    *to = *from;
    *from = (struct address_list){0};
}

static void resent_end(struct resent *resent, struct outbox_envelope *envelope)
{
    if (resent->has_recipients) {
        move_list(&envelope->to, &resent->to);
        move_list(&envelope->cc, &resent->cc);
        move_list(&envelope->bcc, &resent->bcc);
    }
    address_list_release(&resent->to);
    address_list_release(&resent->cc);
    address_list_release(&resent->bcc);
}

/* --- the envelope --- */

static void take_field(struct outbox_envelope *envelope, const struct header_field *field,
                       unsigned *from_fields)
{
    if (add_addresses(field, "From", &envelope->from))
        ++*from_fields;
    add_addresses(field, "Sender", &envelope->sender);
    add_addresses(field, "To", &envelope->to);
    add_addresses(field, "Cc", &envelope->cc);
    add_addresses(field, "Bcc", &envelope->bcc);
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
    struct resent resent = {0};
    size_t offset = 0;
    unsigned from_fields = 0;
    while (header_next(header, length, &offset, &field)) {
        resent_take(&resent, &field);
        take_field(envelope, &field, &from_fields);
    }
    resent_end(&resent, envelope);
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
