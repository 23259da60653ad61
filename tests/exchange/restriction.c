#define _GNU_SOURCE /* strcasestr */

#include "restriction.h"

#include "base/memory.h"
#include "item_fields.h"
#include "timestamp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum test {
    TEST_AND,
    TEST_OR,
    TEST_NOT,
    TEST_EXISTS,
    TEST_CONTAINS,
    TEST_EQUAL,
    TEST_NOT_EQUAL,
    TEST_GREATER,
    TEST_GREATER_OR_EQUAL,
    TEST_LESS,
    TEST_LESS_OR_EQUAL
};

static const struct {
    const char *element;
    enum test test;
} tests[] = {
    {"And", TEST_AND},
    {"Or", TEST_OR},
    {"Not", TEST_NOT},
    {"Exists", TEST_EXISTS},
    {"Contains", TEST_CONTAINS},
    {"IsEqualTo", TEST_EQUAL},
    {"IsNotEqualTo", TEST_NOT_EQUAL},
    {"IsGreaterThan", TEST_GREATER},
    {"IsGreaterThanOrEqualTo", TEST_GREATER_OR_EQUAL},
    {"IsLessThan", TEST_LESS},
    {"IsLessThanOrEqualTo", TEST_LESS_OR_EQUAL},
};

struct restriction {
    struct restriction *next; /* of the same And or Or */
    enum test test;
    struct restriction *children; /* And, Or, Not */
    enum item_field field;        /* FIELD_EXTENDED: path says which */
    struct property_path path;
    char *constant;
    enum { MODE_FULL, MODE_PREFIX, MODE_SUBSTRING } mode; /* Contains */
    bool is_exact;                                        /* Contains: case counts */
};

static struct restriction *read_one(const xmlNode *element, const char **code);

static bool read_children(struct restriction *restriction, const xmlNode *element,
                          const char **code)
{
    struct restriction **end = &restriction->children;
    for (xmlNode *child = xml_first(element); child != NULL; child = xml_next(child)) {
        *end = read_one(child, code);
        if (*end == NULL)
            return false;
        end = &(*end)->next;
    }
    return true;
}

static bool read_field(struct restriction *restriction, const xmlNode *element, const char **code)
{
    xmlNode *field = xml_first(element);
    const char *uri = field == NULL ? NULL : xml_attribute(field, "FieldURI");
    restriction->field = FIELD_COUNT;
    if (xml_is(field, "ExtendedFieldURI")) {
        restriction->field = FIELD_EXTENDED;
        property_path_read(&restriction->path, field);
    } else if (xml_is(field, "FieldURI") && uri != NULL) {
        restriction->field = item_field_named(uri);
    }
    if (restriction->field == FIELD_EXTENDED ||
        (restriction->field != FIELD_COUNT && item_field_is_comparable(restriction->field)))
        return true;
    *code = "ErrorUnsupportedPathForQuery";
    return false;
}

static bool read_constant(struct restriction *restriction, const xmlNode *element,
                          const char **code)
{
    const xmlNode *holder = xml_child(element, "FieldURIOrConstant");
    const xmlNode *constant = xml_child(holder == NULL ? element : holder, "Constant");
    const char *value = constant == NULL ? NULL : xml_attribute(constant, "Value");
    if (value == NULL) {
        *code = "ErrorInvalidRestriction";
        return false;
    }
    restriction->constant = memory_copy_string(value);
    const char *mode = xml_attribute(element, "ContainmentMode");
    if (mode != NULL)
        restriction->mode = strcmp(mode, "Prefixed") == 0 ? MODE_PREFIX
                            : strcmp(mode, "Substring") == 0 || strcmp(mode, "ExactPhrase") == 0
                                ? MODE_SUBSTRING
                                : MODE_FULL;
    const char *comparison = xml_attribute(element, "ContainmentComparison");
    restriction->is_exact = comparison == NULL || strcmp(comparison, "Exact") == 0;
    return true;
}

static bool read_rest(struct restriction *restriction, const xmlNode *element, const char **code)
{
    if (restriction->test <= TEST_NOT)
        return read_children(restriction, element, code);
    return read_field(restriction, element, code) &&
           (restriction->test == TEST_EXISTS || read_constant(restriction, element, code));
}

static struct restriction *read_one(const xmlNode *element, const char **code)
{
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (!xml_is(element, tests[i].element))
            continue;
        struct restriction *restriction = memory_allocate(sizeof *restriction);
        restriction->test = tests[i].test;
        if (read_rest(restriction, element, code))
            return restriction;
        restriction_free(restriction);
        return NULL;
    }
    *code = "ErrorInvalidRestriction";
    return NULL;
}

struct restriction *restriction_read(const xmlNode *element, const char **code)
{
    struct restriction *restriction = memory_allocate(sizeof *restriction);
    restriction->test = TEST_AND;
    if (read_children(restriction, element, code))
        return restriction;
    restriction_free(restriction);
    return NULL;
}

void restriction_free(struct restriction *restriction)
{
    while (restriction != NULL) {
        struct restriction *next = restriction->next;
        restriction_free(restriction->children);
        property_path_release(&restriction->path);
        memory_free(restriction->constant);
        memory_free(restriction);
        restriction = next;
    }
}

/* What a constant means beside a number: a time, a boolean, a number. */
static int64_t number_of(const char *constant)
{
    int64_t time;
    if (timestamp_parse(constant, &time))
        return time;
    if (strcasecmp(constant, "true") == 0)
        return 1;
    return strtoll(constant, NULL, 10);
}

static bool contains(const struct restriction *restriction, const char *text)
{
    const char *wanted = restriction->constant;
    size_t length = strlen(wanted);
    if (restriction->mode == MODE_SUBSTRING)
        return (restriction->is_exact ? strstr(text, wanted) : strcasestr(text, wanted)) != NULL;
    if (restriction->mode == MODE_PREFIX)
        return (restriction->is_exact ? strncmp(text, wanted, length)
                                      : strncasecmp(text, wanted, length)) == 0;
    return (restriction->is_exact ? strcmp(text, wanted) : strcasecmp(text, wanted)) == 0;
}

static bool compare(const struct restriction *restriction, const struct field_value *value)
{
    int order;
    if (value->kind == VALUE_NUMBER) {
        int64_t wanted = number_of(restriction->constant);
        order = (value->number > wanted) - (value->number < wanted);
    } else {
        order = strcasecmp(value->text, restriction->constant);
    }
    switch (restriction->test) {
    case TEST_EQUAL:
        return order == 0;
    case TEST_NOT_EQUAL:
        return order != 0;
    case TEST_GREATER:
        return order > 0;
    case TEST_GREATER_OR_EQUAL:
        return order >= 0;
    case TEST_LESS:
        return order < 0;
    default:
        return order <= 0;
    }
}

static bool fits_value(const struct restriction *restriction, const struct item *item)
{
    struct field_value value;
    if (restriction->field == FIELD_EXTENDED)
        item_property_value(item, &restriction->path, &value);
    else
        item_field_value(item, restriction->field, &value);
    if (restriction->test == TEST_EXISTS)
        return value.kind != VALUE_NONE;
    if (value.kind == VALUE_NONE)
        return restriction->test == TEST_NOT_EQUAL;
    if (restriction->test == TEST_CONTAINS)
        return value.kind == VALUE_TEXT && contains(restriction, value.text);
    return compare(restriction, &value);
}

bool restriction_fits(const struct restriction *restriction, const struct item *item)
{
    const struct restriction *child = restriction->children;
    switch (restriction->test) {
    case TEST_AND:
        while (child != NULL && restriction_fits(child, item))
            child = child->next;
        return child == NULL;
    case TEST_OR:
        while (child != NULL && !restriction_fits(child, item))
            child = child->next;
        return child != NULL;
    case TEST_NOT:
        return child == NULL || !restriction_fits(child, item);
    default:
        return fits_value(restriction, item);
    }
}
