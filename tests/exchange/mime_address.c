/* Address lists: the part of mime_header.h that reads people's names. */
#include "base/buffer.h"
#include "base/memory.h"
#include "mime_header.h"

#include <ctype.h>
#include <string.h>

void mime_addresses_add(struct mime_addresses *addresses, const char *name, const char *address)
{
    addresses->list =
        memory_resize(addresses->list, (addresses->count + 1) * sizeof *addresses->list);
    addresses->list[addresses->count++] =
        (struct mime_address){name == NULL || *name == '\0' ? NULL : memory_copy_string(name),
                              memory_copy_string(address)};
}

void mime_addresses_release(struct mime_addresses *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        memory_free(addresses->list[i].name);
        memory_free(addresses->list[i].address);
    }
    memory_free(addresses->list);
    *addresses = (struct mime_addresses){0};
}

/* What has been read of one mailbox. */
struct mailbox_text {
    struct buffer phrase; /* in front of the angle bracket */
    struct buffer angle;  /* inside it */
    bool has_angle;
};

static void trim(struct buffer *text)
{
    size_t start = strspn(buffer_string(text), " ");
    buffer_consume(text, start);
    while (text->length > 0 && text->data[text->length - 1] == ' ')
        text->data[--text->length] = '\0';
}

static void finish_mailbox(struct mime_addresses *addresses, struct mailbox_text *mailbox)
{
    trim(&mailbox->phrase);
    trim(&mailbox->angle);
    const char *phrase = buffer_string(&mailbox->phrase);
    if (mailbox->has_angle && strchr(buffer_string(&mailbox->angle), '@') != NULL) {
        char *name = mime_decode_text(phrase);
        mime_addresses_add(addresses, name, buffer_string(&mailbox->angle));
        memory_free(name);
    } else if (!mailbox->has_angle && strchr(phrase, '@') != NULL && strchr(phrase, ' ') == NULL) {
        mime_addresses_add(addresses, NULL, phrase);
    }
    buffer_clear(&mailbox->phrase);
    buffer_clear(&mailbox->angle);
    mailbox->has_angle = false;
}

/* Skips a comment; `at` is at its opening parenthesis. The place behind it. */
static const char *skip_comment(const char *at)
{
    int depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at + 1;
    }
    return at;
}

static const char *copy_quoted(struct buffer *out, const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        buffer_append_char(out, *at);
    }
    return *at == '"' ? at + 1 : at;
}

void mime_parse_addresses(struct mime_addresses *addresses, const char *value)
{
    struct mailbox_text mailbox = {0};
    bool in_angle = false;
    for (const char *at = value; *at != '\0';) {
        struct buffer *out = in_angle ? &mailbox.angle : &mailbox.phrase;
        if (*at == '(') {
            at = skip_comment(at);
            continue;
        }
        if (*at == '"') {
            at = copy_quoted(out, at);
            continue;
        }
        if (*at == '<')
            in_angle = mailbox.has_angle = true;
        else if (*at == '>')
            in_angle = false;
        else if (!in_angle && (*at == ',' || *at == ';'))
            finish_mailbox(addresses, &mailbox);
        else if (!in_angle && *at == ':')
            buffer_clear(&mailbox.phrase); /* the name of a group */
        else
            buffer_append_char(out, *at);
        at++;
    }
    finish_mailbox(addresses, &mailbox);
    buffer_release(&mailbox.phrase);
    buffer_release(&mailbox.angle);
}
