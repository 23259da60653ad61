/* Any message, with any sender, name and recipients given: what goes into the outbox is one header,
 * and nobody gets the message who was not to get it. */
#include "mail/header.h"
#include "mail/resent.h"
#include "tools/exsync_submit_header.h"
#include "tools/exsync_submit_sender.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line of the input as a string; the input is at its end when there is none. */
static char *take_line(const char **bytes, size_t *length)
{
    const char *newline = memchr(*bytes, '\n', *length);
    size_t taken = newline != NULL ? (size_t)(newline - *bytes) : 0;
    char *line = strndup(*bytes, taken);
    size_t used = newline != NULL ? taken + 1 : 0;
    *bytes += used;
    *length -= used;
    return line;
}

/* The recipients as the daemon finds them. */
static void collect(const char *bytes, size_t length, struct address_list *list)
{
    struct resent_block block = resent_find(bytes, length);
    struct header_field field;
    for (size_t at = 0; header_next(bytes, length, &at, &field);) {
        struct buffer text = {0};
        if (resent_is_recipients(&block, &field, "To") ||
            resent_is_recipients(&block, &field, "Cc") ||
            resent_is_recipients(&block, &field, "Bcc")) {
            header_field_unfold(&field, &text);
            address_list_parse(list, buffer_string(&text), text.length);
        }
        buffer_release(&text);
    }
}

static void check(const struct buffer *written, const struct submit_options *options,
                  const struct address_list *given)
{
    struct submit_extent extent;
    struct address_list all = {0};
    assert(submit_header_find(written->data, written->length, true, &extent));
    assert(extent.body == written->length && extent.fields < extent.body);
    collect(written->data, extent.fields, &all);
    for (size_t i = 0; i < given->count; i++)
        assert(address_list_has(&all, given->addresses[i].address));
    for (size_t i = 0; i < all.count && !options->recipients_from_header; i++)
        assert(address_list_has(given, all.addresses[i].address));
    address_list_release(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    size_t length = size - 1;
    char *sender = take_line(&bytes, &length), *name = take_line(&bytes, &length);
    char *recipients = take_line(&bytes, &length);
    const struct submit_options options = {
        .recipients_from_header = data[0] & 1,
        .sender = data[0] & 2 ? sender : NULL,
        .full_name = data[0] & 4 ? name : NULL,
    };
    const struct submit_policy policy = {.recipients_rewrite = data[0] & 8};
    struct submit_problem problem = {0};
    struct submit_extent extent;
    struct address_list given = {0};
    struct buffer written = {0};
    if (submit_address_read(&given, recipients) &&
        submit_header_find(bytes, length, true, &extent) &&
        submit_header_write(bytes, extent.fields, &options, &given, &policy, &written, &problem) ==
            EX_OK)
        check(&written, &options, &given);
    address_list_release(&given);
    buffer_release(&written);
    free(sender);
    free(name);
    free(recipients);
    return 0;
}
