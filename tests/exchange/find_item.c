/* FindItem: pages of a folder, sorted, restricted. */
#define _GNU_SOURCE /* qsort_r */

#include "base/memory.h"
#include "counters.h"
#include "item_fields.h"
#include "operations.h"
#include "restriction.h"
#include "simulator.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_SORT_FIELDS = 4 };

struct sort_field {
    enum item_field field; /* FIELD_EXTENDED: path says which */
    struct property_path path;
    bool descending;
};

/* What a FindItem request asks for. */
struct search {
    struct item_shape shape;
    struct restriction *restriction; /* NULL: everything */
    struct restriction *condition;   /* SeekToConditionPageItemView; NULL: none */
    struct sort_field order[MOST_SORT_FIELDS];
    size_t order_count;
    size_t offset;
    size_t most; /* items on the page */
    bool from_end;
};

static bool read_order(struct search *search, const xmlNode *order, const char **code)
{
    for (xmlNode *field_order = xml_first(order);
         field_order != NULL && search->order_count < MOST_SORT_FIELDS;
         field_order = xml_next(field_order)) {
        struct sort_field *sort = &search->order[search->order_count++];
        const char *direction = xml_attribute(field_order, "Order");
        sort->descending = direction != NULL && strcmp(direction, "Descending") == 0;
        xmlNode *path = xml_first(field_order);
        const char *uri = path == NULL ? NULL : xml_attribute(path, "FieldURI");
        sort->field = FIELD_COUNT;
        if (xml_is(path, "ExtendedFieldURI")) {
            sort->field = FIELD_EXTENDED;
            property_path_read(&sort->path, path);
        } else if (uri != NULL) {
            sort->field = item_field_named(uri);
        }
        if (sort->field != FIELD_EXTENDED &&
            (sort->field == FIELD_COUNT || !item_field_is_comparable(sort->field))) {
            *code = "ErrorUnsupportedPathForSortGroup";
            return false;
        }
    }
    return true;
}

static bool read_view(struct search *search, const xmlNode *request, const char **code)
{
    const xmlNode *view = xml_child(request, "IndexedPageItemView");
    if (view == NULL)
        view = xml_child(request, "SeekToConditionPageItemView");
    if (view == NULL)
        return true;
    const char *most = xml_attribute(view, "MaxEntriesReturned");
    const char *offset = xml_attribute(view, "Offset");
    const char *base = xml_attribute(view, "BasePoint");
    if (most != NULL && (size_t)atoi(most) < search->most)
        search->most = (size_t)atoi(most);
    if (offset != NULL && atoi(offset) < 0) {
        *code = "ErrorInvalidIndexedPagingParameters";
        return false;
    }
    search->offset = offset == NULL ? 0 : (size_t)atoi(offset);
    search->from_end = base != NULL && strcmp(base, "End") == 0;
    const xmlNode *condition = xml_child(view, "Condition");
    if (condition == NULL)
        return true;
    search->condition = restriction_read(condition, code);
    return search->condition != NULL;
}

static bool read_search(struct search *search, struct call *call, const char **code)
{
    *search = (struct search){.most = call->simulator->limits.page_size};
    const xmlNode *shape = xml_child(call->request, "ItemShape");
    const xmlNode *restriction = xml_child(call->request, "Restriction");
    const xmlNode *order = xml_child(call->request, "SortOrder");
    if (shape != NULL)
        item_shape_read(&search->shape, shape, true);
    if (restriction != NULL) {
        search->restriction = restriction_read(restriction, code);
        if (search->restriction == NULL)
            return false;
    }
    const char *traversal = xml_attribute(call->request, "Traversal");
    if (xml_child(call->request, "QueryString") != NULL ||
        (traversal != NULL && strcmp(traversal, "Shallow") != 0)) {
        *code = "ErrorInvalidArgument"; /* neither is simulated */
        return false;
    }
    return read_view(search, call->request, code) &&
           (order == NULL || read_order(search, order, code));
}

static void release_search(struct search *search)
{
    item_shape_release(&search->shape);
    restriction_free(search->restriction);
    restriction_free(search->condition);
    for (size_t i = 0; i < search->order_count; i++)
        property_path_release(&search->order[i].path);
}

static void sort_value(const struct item *item, const struct sort_field *sort,
                       struct field_value *value)
{
    if (sort->field == FIELD_EXTENDED)
        item_property_value(item, &sort->path, value);
    else
        item_field_value(item, sort->field, value);
}

static int compare_values(const struct field_value *left, const struct field_value *right)
{
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->kind == VALUE_TEXT)
        return strcasecmp(left->text, right->text);
    return (left->number > right->number) - (left->number < right->number);
}

static int compare_items(const void *left_place, const void *right_place, void *context)
{
    const struct search *search = context;
    const struct item *left = *(struct item *const *)left_place;
    const struct item *right = *(struct item *const *)right_place;
    for (size_t i = 0; i < search->order_count; i++) {
        struct field_value left_value;
        struct field_value right_value;
        sort_value(left, &search->order[i], &left_value);
        sort_value(right, &search->order[i], &right_value);
        int order = compare_values(&left_value, &right_value);
        if (order != 0)
            return search->order[i].descending ? -order : order;
    }
    return (left->number > right->number) - (left->number < right->number);
}

/* Items of a folder in the order asked for. The folder's own order is by received time, so the
 * usual searches, for that time, copy and sort nothing. */
struct view {
    struct item **items; /* the folder's, or `copies` */
    struct item **copies;
    size_t count;
    bool backwards;
};

static void make_view(const struct search *search, const struct folder *folder, struct view *view)
{
    *view = (struct view){.items = folder->items, .count = folder->count};
    bool by_received = search->order_count == 0 ||
                       (search->order_count == 1 && search->order[0].field == FIELD_RECEIVED);
    view->backwards = by_received && (search->order_count == 0 || search->order[0].descending);
    if (by_received && search->restriction == NULL)
        return;
    view->copies = memory_allocate_array(folder->count, sizeof *view->copies);
    view->count = 0;
    for (size_t i = 0; i < folder->count; i++)
        if (search->restriction == NULL || restriction_fits(search->restriction, folder->items[i]))
            view->copies[view->count++] = folder->items[i];
    if (!by_received)
        qsort_r(view->copies, view->count, sizeof *view->copies, compare_items,
                (void *)(size_t)search);
    view->items = view->copies;
}

static struct item *view_item(const struct view *view, size_t at)
{
    return view->items[view->backwards ? view->count - 1 - at : at];
}

/* Where the page starts and ends (exclusive), as MS-OXWSSRCH says for the views. */
static void find_page(const struct search *search, const struct view *view, size_t *start,
                      size_t *end)
{
    if (search->condition != NULL) {
        *start = 0;
        while (*start < view->count &&
               !restriction_fits(search->condition, view_item(view, *start)))
            ++*start;
    } else {
        *start = search->offset < view->count ? search->offset : view->count;
    }
    if (search->from_end && search->condition == NULL) {
        *end = view->count - *start;
        *start = *end > search->most ? *end - search->most : 0;
    } else {
        *end = view->count - *start > search->most ? *start + search->most : view->count;
    }
}

static void answer_folder(struct call *call, const struct search *search,
                          const struct folder *folder)
{
    struct view view;
    size_t start;
    size_t end;
    make_view(search, folder, &view);
    find_page(search, &view, &start, &end);
    bool is_last = search->from_end ? start == 0 : end == view.count;
    size_t next = search->from_end ? view.count - start : end;
    struct buffer *text = &call->reply->text;
    reply_open_message(call->reply, "FindItem");
    buffer_append_format(text,
                         "<m:RootFolder IndexedPagingOffset=\"%zu\" TotalItemsInView=\"%zu\" "
                         "IncludesLastItemInRange=\"%s\"><t:Items>",
                         next, view.count, is_last ? "true" : "false");
    for (size_t i = start; i < end; i++)
        item_append(view_item(&view, i), &search->shape, call->reply);
    buffer_append_string(text, "</t:Items></m:RootFolder>");
    reply_close_message(call->reply, "FindItem");
    call_succeeded(call);
    memory_free(view.copies);
}

void operation_find_item(struct call *call)
{
    struct search search;
    const char *code = "ErrorInvalidRequest";
    bool is_sound = read_search(&search, call, &code);
    const xmlNode *parents = xml_child(call->request, "ParentFolderIds");
    for (xmlNode *id = parents == NULL ? NULL : xml_first(parents); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        if (!is_sound) {
            call_error(call, code);
            continue;
        }
        const struct folder *folder = call_folder(call, id);
        if (folder != NULL)
            answer_folder(call, &search, folder);
    }
    release_search(&search);
}
