/* Words with commas between them, in one line or several. */
#include "config/config_build.h"

#include <ctype.h>
#include <string.h>

char *config_build_next_word(char **rest)
{
    char *word;
    while ((word = strsep(rest, ",")) != NULL) {
        while (isspace((unsigned char)*word))
            word++;
        size_t length = strlen(word);
        while (length > 0 && isspace((unsigned char)word[length - 1]))
            word[--length] = '\0';
        if (length > 0)
            return word;
    }
    return NULL;
}

char *config_build_join_lines(struct config_builder *builder, struct config_chosen given,
                              enum config_key_id id)
{
    struct buffer list = {0};
    if (given.entry == NULL)
        buffer_append_string(&list, config_keys[id].initial == NULL ? "" : config_keys[id].initial);
    for (const struct config_entry *entry = given.entry; entry != NULL; entry = entry->next) {
        if (entry->key == given.entry->key && entry->good)
            buffer_append_format(&list, "%s%s", list.length > 0 ? "," : "", entry->value.text);
    }
    char *copy = config_arena_copy_string(builder->scratch, buffer_string(&list));
    buffer_release(&list);
    return copy;
}
