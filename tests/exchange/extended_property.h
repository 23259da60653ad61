/* Extended properties (MAPI properties by tag, by name or by number) of an item. */
#ifndef EXCHANGE_EXTENDED_PROPERTY_H
#define EXCHANGE_EXTENDED_PROPERTY_H

#include "base/buffer.h"

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

/* Which property: what an ExtendedFieldURI element says. Owned strings, NULL where absent. */
struct property_path {
    char *distinguished_set;
    char *set;
    char *tag;
    char *name;
    char *id;
    char *type;
    char *key; /* equal for two paths that mean the same property */
};

struct extended_property {
    struct extended_property *next;
    struct property_path path;
    char **values;
    size_t count;
    bool is_array; /* written as Values */
};

/* Reads an ExtendedFieldURI element. */
void property_path_read(struct property_path *path, xmlNode *field_uri);
void property_path_release(struct property_path *path);
void property_path_append_xml(const struct property_path *path, struct buffer *xml);

/* Appends the whole ExtendedProperty element with these values. */
void property_append_xml(const struct property_path *path, char *const *values, size_t count,
                         bool is_array, struct buffer *xml);

/* Reads an ExtendedProperty element. */
struct extended_property *property_read(xmlNode *element);

/* The property of that key in a list, or NULL. */
struct extended_property *property_find(struct extended_property *list, const char *key);

/* Puts `property` into the list, instead of one of the same key; takes it over. */
void property_set(struct extended_property **list, struct extended_property *property);
void property_delete(struct extended_property **list, const char *key);

struct extended_property *property_copy_list(const struct extended_property *list);
void property_free_list(struct extended_property *list);

/* The key of PidTagSearchKey, which every item has. */
#define PROPERTY_KEY_SEARCH_KEY "tag/300b/Binary"

#endif
