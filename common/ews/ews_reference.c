#include "ews/ews_reference.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>

size_t ews_reference_id_length(const char *reference)
{
    return strcspn(reference, " ");
}

static bool has_space(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (isspace((unsigned char)text[i]))
            return true;
    }
    return false;
}

bool ews_reference_append(struct buffer *references, const struct ews_attributes *item_id)
{
    size_t id_length = 0, key_length = 0;
    const char *id = ews_attribute(item_id, "Id", &id_length);
    const char *change_key = ews_attribute(item_id, "ChangeKey", &key_length);
    if (id == NULL || id_length == 0 || has_space(id, id_length) ||
        (change_key != NULL && has_space(change_key, key_length)))
        return false;
    buffer_append(references, id, id_length);
    if (change_key != NULL && key_length > 0) {
        buffer_append_char(references, ' ');
        buffer_append(references, change_key, key_length);
    }
    buffer_append_char(references, '\0');
    return true;
}

void ews_asked_init(struct ews_asked *asked, const char *const *references, size_t count)
{
    struct buffer ids = {0};
    asked->count = count;
    asked->places = memory_allocate_array(count + 1, sizeof *asked->places);
    for (size_t i = 0; i < count; i++) {
        asked->places[i] = ids.length;
        buffer_append(&ids, references[i], ews_reference_id_length(references[i]));
        buffer_append_char(&ids, '\0');
    }
    asked->ids = buffer_take(&ids);
}

void ews_asked_release(struct ews_asked *asked)
{
    memory_free(asked->ids);
    memory_free(asked->places);
}

static bool id_is(const struct ews_asked *asked, size_t index, const char *id, size_t length)
{
    const char *expected = asked->ids + asked->places[index];
    return strlen(expected) == length && memcmp(expected, id, length) == 0;
}

bool ews_asked_is_another(const struct ews_asked *asked, size_t index,
                          const struct ews_attributes *item_id)
{
    size_t length = 0;
    const char *id = ews_attribute(item_id, "Id", &length);
    if (id == NULL || id_is(asked, index, id, length))
        return false;
    for (size_t i = 0; i < asked->count; i++) {
        if (id_is(asked, i, id, length))
            return true;
    }
    return false;
}
