/* The body of an address field: an address that was found is found again when it stands alone, and
 * addresses and names are one line of UTF-8. */
#include "mail/address.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text)
{
    size_t length = strlen(text);
    char *line = memory_allocate(length + 1);
    text_copy_line(line, length + 1, text, length);
    if (length == 0 || strcmp(line, text) != 0)
        abort();
    memory_free(line);
}

static void check_alone(const char *address)
{
    struct address_list list = {0};
    struct buffer text = {0};
    buffer_append_format(&text, "Some Body <%s>", address);
    address_list_parse(&list, text.data, text.length);
    if (list.count != 1 || list.invalid != 0 || strcmp(list.addresses[0].address, address) != 0 ||
        !address_list_has(&list, address))
        abort();
    address_list_release(&list);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address_list list = {0};
    address_list_parse(&list, (const char *)data, size);
    for (size_t i = 0; i < list.count; i++) {
        check_line(list.addresses[i].address);
        if (list.addresses[i].name != NULL)
            check_line(list.addresses[i].name);
        check_alone(list.addresses[i].address);
    }
    address_list_release(&list);
    return 0;
}
