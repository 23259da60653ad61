#include "extended_property.h"

#include "base/memory.h"
#include "soap.h"
#include "xml_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The GUIDs of property sets that have a name in EWS ([MS-OXPROPS] section 1.3.2). */
static const char *set_guid(const char *distinguished)
{
    static const char *const sets[][2] = {
        {"PublicStrings", "00020329-0000-0000-c000-000000000046"},
        {"InternetHeaders", "00020386-0000-0000-c000-000000000046"},
        {"Common", "00062008-0000-0000-c000-000000000046"},
        {"Address", "00062004-0000-0000-c000-000000000046"},
        {"Task", "00062003-0000-0000-c000-000000000046"},
        {"Appointment", "00062002-0000-0000-c000-000000000046"},
        {"Meeting", "6ed8da90-450b-101b-98da-00aa003f1305"}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (strcmp(sets[i][0], distinguished) == 0)
            return sets[i][1];
    return distinguished;
}

static char *make_key(const struct property_path *path)
{
    struct buffer key = {0};
    if (path->tag != NULL) {
        buffer_append_format(&key, "tag/%04lx", strtoul(path->tag, NULL, 0));
    } else {
        const char *set = path->set != NULL                 ? path->set
                          : path->distinguished_set != NULL ? set_guid(path->distinguished_set)
                                                            : "";
        buffer_append_string(&key, "set/");
        for (const char *at = set; *at != '\0'; at++)
            buffer_append_char(&key, (char)tolower((unsigned char)*at));
        buffer_append_format(&key, "/%s%s", path->name != NULL ? "" : "#",
                             path->name != NULL ? path->name
                             : path->id != NULL ? path->id
                                                : "");
    }
    buffer_append_format(&key, "/%s", path->type == NULL ? "" : path->type);
    return buffer_take(&key);
}

void property_path_read(struct property_path *path, xmlNode *field_uri)
{
    *path = (struct property_path){
        .distinguished_set =
            memory_copy_string(xml_attribute(field_uri, "DistinguishedPropertySetId")),
        .set = memory_copy_string(xml_attribute(field_uri, "PropertySetId")),
        .tag = memory_copy_string(xml_attribute(field_uri, "PropertyTag")),
        .name = memory_copy_string(xml_attribute(field_uri, "PropertyName")),
        .id = memory_copy_string(xml_attribute(field_uri, "PropertyId")),
        .type = memory_copy_string(xml_attribute(field_uri, "PropertyType"))};
    path->key = make_key(path);
}

void property_path_release(struct property_path *path)
{
    memory_free(path->distinguished_set);
    memory_free(path->set);
    memory_free(path->tag);
    memory_free(path->name);
    memory_free(path->id);
    memory_free(path->type);
    memory_free(path->key);
    *path = (struct property_path){0};
}

static void append_attribute(struct buffer *xml, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buffer_append_char(xml, ' ');
    buffer_append_string(xml, name);
    buffer_append_string(xml, "=\"");
    xml_append_escaped(xml, value, strlen(value));
    buffer_append_char(xml, '"');
}

void property_path_append_xml(const struct property_path *path, struct buffer *xml)
{
    buffer_append_string(xml, "<t:ExtendedFieldURI");
    append_attribute(xml, "DistinguishedPropertySetId", path->distinguished_set);
    append_attribute(xml, "PropertySetId", path->set);
    append_attribute(xml, "PropertyTag", path->tag);
    append_attribute(xml, "PropertyName", path->name);
    append_attribute(xml, "PropertyId", path->id);
    append_attribute(xml, "PropertyType", path->type);
    buffer_append_string(xml, "/>");
}

void property_append_xml(const struct property_path *path, char *const *values, size_t count,
                         bool is_array, struct buffer *xml)
{
    buffer_append_string(xml, "<t:ExtendedProperty>");
    property_path_append_xml(path, xml);
    if (is_array)
        buffer_append_string(xml, "<t:Values>");
    for (size_t i = 0; i < count; i++)
        xml_append_element(xml, "Value", values[i]);
    if (is_array)
        buffer_append_string(xml, "</t:Values>");
    buffer_append_string(xml, "</t:ExtendedProperty>");
}

static void add_value(struct extended_property *property, const char *value)
{
    property->values =
        memory_resize(property->values, (property->count + 1) * sizeof *property->values);
    property->values[property->count++] = memory_copy_string(value);
}

struct extended_property *property_read(xmlNode *element)
{
    struct extended_property *property = memory_allocate(sizeof *property);
    xmlNode *field_uri = xml_child(element, "ExtendedFieldURI");
    if (field_uri != NULL)
        property_path_read(&property->path, field_uri);
    else
        property->path.key = memory_copy_string("");
    xmlNode *values = xml_child(element, "Values");
    property->is_array = values != NULL;
    for (xmlNode *value = xml_first(values != NULL ? values : element); value != NULL;
         value = xml_next(value))
        if (xml_is(value, "Value"))
            add_value(property, xml_text(value));
    return property;
}

struct extended_property *property_find(struct extended_property *list, const char *key)
{
    while (list != NULL && strcmp(list->path.key, key) != 0)
        list = list->next;
    return list;
}

static void property_free(struct extended_property *property)
{
    property_path_release(&property->path);
    for (size_t i = 0; i < property->count; i++)
        memory_free(property->values[i]);
    memory_free(property->values);
    memory_free(property);
}

void property_delete(struct extended_property **list, const char *key)
{
    for (struct extended_property **at = list; *at != NULL; at = &(*at)->next)
        if (strcmp((*at)->path.key, key) == 0) {
            struct extended_property *found = *at;
            *at = found->next;
            property_free(found);
            return;
        }
}

void property_set(struct extended_property **list, struct extended_property *property)
{
    property_delete(list, property->path.key);
    property->next = *list;
    *list = property;
}

struct extended_property *property_copy_list(const struct extended_property *list)
{
    struct extended_property *copies = NULL;
    struct extended_property **end = &copies;
    for (; list != NULL; list = list->next) {
        struct extended_property *copy = memory_allocate(sizeof *copy);
        const struct property_path *path = &list->path;
        copy->path = (struct property_path){memory_copy_string(path->distinguished_set),
                                            memory_copy_string(path->set),
                                            memory_copy_string(path->tag),
                                            memory_copy_string(path->name),
                                            memory_copy_string(path->id),
                                            memory_copy_string(path->type),
                                            memory_copy_string(path->key)};
        copy->is_array = list->is_array;
        for (size_t i = 0; i < list->count; i++)
            add_value(copy, list->values[i]);
        *end = copy;
        end = &copy->next;
    }
    return copies;
}

void property_free_list(struct extended_property *list)
{
    while (list != NULL) {
        struct extended_property *next = list->next;
        property_free(list);
        list = next;
    }
}
