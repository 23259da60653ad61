/* Control commands about items. */
#include "base/memory.h"
#include "base64.h"
#include "control_command.h"
#include "files.h"
#include "mailbox_store.h"
#include "simulator.h"
#include "timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- Which items ----------------------------------------------------------- */

static bool is_equal(const char *wanted, const char *found)
{
    return wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
}

static bool is_chosen(const struct command *command, const struct item *item)
{
    return is_equal(command_text(command, "source"), item->message->source) &&
           is_equal(command_text(command, "message_id"), item->message->internet_id) &&
           is_equal(command_text(command, "subject"), item_subject(item));
}

/* What the visitor may change while it is called: first find all, then visit them. */
struct chosen {
    uint64_t *numbers;
    size_t count;
};

static void choose_in_folder(const struct command *command, const struct folder *folder,
                             struct chosen *chosen)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (!is_chosen(command, folder->items[i]))
            continue;
        chosen->numbers =
            memory_resize(chosen->numbers, (chosen->count + 1) * sizeof *chosen->numbers);
        chosen->numbers[chosen->count++] = folder->items[i]->number;
    }
}

/* The item of that ItemId. A plus sign that nobody has encoded arrives as a blank. */
static void choose_by_id(struct command *command, const char *text, struct chosen *chosen)
{
    char *id = memory_copy_string(text);
    for (char *at = id; *at != '\0'; at++)
        if (*at == ' ')
            *at = '+';
    const struct item *item = store_find_item(command->simulator->store, id);
    if (item != NULL) {
        chosen->numbers = memory_resize(NULL, sizeof *chosen->numbers);
        chosen->numbers[chosen->count++] = item->number;
    }
    memory_free(id);
}

static void choose(struct command *command, struct chosen *chosen)
{
    struct store *store = command->simulator->store;
    const char *id = command_text(command, "item");
    const char *path = command_text(command, "folder");
    if (id != NULL) {
        choose_by_id(command, id, chosen);
        return;
    }
    const char *address = command_required(command, "mailbox");
    const struct mailbox *mailbox = address == NULL ? NULL : store_find_mailbox(store, address);
    const struct folder *folder =
        mailbox == NULL || path == NULL ? NULL : mailbox_folder(mailbox, path);
    if (mailbox == NULL || (path != NULL && folder == NULL)) {
        command_fail(command, "there is no such mailbox or folder");
        return;
    }
    for (size_t i = 0; i < mailbox->folder_count; i++)
        if (folder == NULL || mailbox->folders[i] == folder)
            choose_in_folder(command, mailbox->folders[i], chosen);
}

void command_visit_items(struct command *command, bool required, command_item_visitor *visit,
                         void *context)
{
    struct chosen chosen = {0};
    choose(command, &chosen);
    if (required && chosen.count == 0)
        command_fail(command, "no item fits");
    for (size_t i = 0; i < chosen.count && !command_has_failed(command); i++)
        visit(command, store_item_of_number(command->simulator->store, chosen.numbers[i]), context);
    memory_free(chosen.numbers);
}

/* Visits all that fit with the store locked for writing, and says how many they are. */
static void change_items(struct command *command, command_item_visitor *visit)
{
    json_int_t count = 0;
    store_lock_for_writing(command->simulator->store);
    command_visit_items(command, true, visit, &count);
    store_unlock(command->simulator->store);
    json_object_set_new(command->answer, "items", json_integer(count));
}

static void count_item(void *context)
{
    ++*(json_int_t *)context;
}

/* -- Looking --------------------------------------------------------------- */

static void describe(struct command *command, struct item *item, void *context)
{
    (void)command;
    struct buffer id = {0};
    struct buffer change_key = {0};
    struct buffer folder = {0};
    struct buffer search_key = {0};
    char received[TIMESTAMP_SIZE];
    const struct message *message = item->message;
    item_append_id(item, &id);
    item_append_change_key(item, &change_key);
    folder_append_path(item->folder, &folder);
    base64_append(&search_key, item->search_key, sizeof item->search_key);
    timestamp_format(item->received, received);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I, s:s}", "id", id.data,
                               "change_key", change_key.data, "folder", folder.data, "source",
                               message->source, "received", received, "read", item->is_read,
                               "draft", item->is_draft, "submitted", item->is_submitted, "size",
                               (json_int_t)message->mime_size, "class", item_class(item));
    json_object_set_new(object, "subject", json_string(item_subject(item)));
    json_object_set_new(object, "search_key", json_string(search_key.data));
    json_object_set_new(object, "message_id",
                        message->internet_id == NULL ? json_null()
                                                     : json_string(message->internet_id));
    json_array_append_new(context, object);
    buffer_release(&search_key);
    buffer_release(&folder);
    buffer_release(&change_key);
    buffer_release(&id);
}

void command_items(struct command *command)
{
    json_t *list = json_array();
    store_lock_for_reading(command->simulator->store);
    command_visit_items(command, false, describe, list);
    store_unlock(command->simulator->store);
    json_object_set_new(command->answer, "items", list);
}

static void take_mime(struct command *command, struct item *item, void *context)
{
    (void)context;
    if (!command->is_raw)
        message_append_mime(item->message, &command->bytes);
    command->is_raw = true;
}

void command_mime(struct command *command)
{
    store_lock_for_reading(command->simulator->store);
    command_visit_items(command, true, take_mime, NULL);
    store_unlock(command->simulator->store);
}

/* -- Adding ---------------------------------------------------------------- */

/* The message that the command brings; NULL after an error. */
static struct message *brought_message(struct command *command)
{
    const char *file = command_text(command, "file");
    const char *source = command_text(command, "source");
    uint64_t megabytes;
    if (command_number(command, "megabytes", &megabytes))
        return message_generate(source == NULL ? "large" : source, (size_t)megabytes);
    if (file == NULL)
        return message_create(source == NULL ? "added" : source, buffer_string(command->body),
                              command->body->length);
    struct buffer bytes = {0};
    struct message *message = NULL;
    const char *slash = strrchr(file, '/');
    if (source == NULL)
        source = slash == NULL ? file : slash + 1;
    if (file_read(file, &bytes))
        message = message_create(source, buffer_string(&bytes), bytes.length);
    else
        command_fail(command, "%s: %s", file, strerror(errno));
    buffer_release(&bytes);
    return message;
}

/* The time of the parameter `received`; `otherwise` when it is not there. */
static int64_t received_time(struct command *command, int64_t otherwise)
{
    const char *text = command_text(command, "received");
    int64_t time = otherwise;
    if (text != NULL && !timestamp_parse_option(text, &time))
        command_fail(command, "received=%s is no time", text);
    return time;
}

static void add_to(struct command *command, struct folder *folder, struct message *message)
{
    uint64_t count = 1;
    command_number(command, "count", &count);
    int64_t received = received_time(command, timestamp_now());
    const char *class = command_text(command, "class");
    json_t *ids = json_array();
    for (uint64_t i = 0; i < count && !command_has_failed(command); i++) {
        struct item *item = store_add_item(command->simulator->store, folder, message, received);
        struct buffer id = {0};
        item_set_read(item, command_flag(command, "read"));
        if (class != NULL)
            item_details(item)->item_class = memory_copy_string(class);
        item_append_id(item, &id);
        json_array_append_new(ids, json_string(id.data));
        buffer_release(&id);
    }
    json_object_set_new(command->answer, "ids", ids);
}

void command_add_mail(struct command *command)
{
    struct store *store = command->simulator->store;
    const char *address = command_required(command, "mailbox");
    const char *path = command_text(command, "folder");
    if (address == NULL)
        return;
    struct message *message = brought_message(command);
    if (message == NULL)
        return;
    store_lock_for_writing(store);
    struct mailbox *mailbox = store_find_mailbox(store, address);
    if (mailbox == NULL)
        command_fail(command, "there is no mailbox %s", address);
    else
        add_to(command, store_make_folder(store, mailbox, path == NULL ? "inbox" : path), message);
    store_unlock(store);
    message_release(message);
}

/* -- Changing -------------------------------------------------------------- */

static void change_item(struct command *command, struct item *item, void *context)
{
    const char *class = command_text(command, "class");
    if (command_text(command, "read") != NULL)
        item_set_read(item, command_flag(command, "read"));
    if (command_text(command, "received") != NULL)
        item_set_received(item, received_time(command, item->received));
    if (class != NULL) {
        memory_free(item_details(item)->item_class);
        item_details(item)->item_class = memory_copy_string(class);
    }
    store_change_item(command->simulator->store, item);
    count_item(context);
}

void command_change(struct command *command)
{
    change_items(command, change_item);
}

/* The folder of the parameter `to`, in the item's mailbox; NULL after an error. */
static struct folder *target_of(struct command *command, const struct item *item)
{
    const char *path = command_required(command, "to");
    struct folder *folder = path == NULL ? NULL : mailbox_folder(item->folder->mailbox, path);
    if (folder == NULL)
        command_fail(command, "there is no such folder to move to");
    return folder;
}

static void move_item(struct command *command, struct item *item, void *context)
{
    struct folder *to = target_of(command, item);
    if (to == NULL)
        return;
    store_move_item(command->simulator->store, item, to);
    count_item(context);
}

void command_move(struct command *command)
{
    change_items(command, move_item);
}

static void copy_item(struct command *command, struct item *item, void *context)
{
    struct folder *to = target_of(command, item);
    if (to == NULL)
        return;
    store_copy_item(command->simulator->store, item, to);
    count_item(context);
}

void command_copy(struct command *command)
{
    change_items(command, copy_item);
}

static void delete_item(struct command *command, struct item *item, void *context)
{
    store_delete_item(command->simulator->store, item);
    count_item(context);
}

void command_delete(struct command *command)
{
    change_items(command, delete_item);
}

/* -- Spoiling -------------------------------------------------------------- */

static bool read_breakage(struct command *command, enum item_breakage *breakage)
{
    static const char *const names[] = {[ITEM_SOUND] = "none",
                                        [ITEM_HTTP_500] = "http500",
                                        [ITEM_MALFORMED] = "malformed",
                                        [ITEM_TRUNCATED] = "truncated",
                                        [ITEM_CLOSES] = "close"};
    const char *text = command_text(command, "breaks");
    for (unsigned i = 0; text != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *breakage = (enum item_breakage)i;
            return true;
        }
    if (text != NULL)
        command_fail(command, "breaks=%s is not known", text);
    return false;
}

static void heal(struct item_details *details)
{
    memory_free(details->error);
    memory_free(details->operation);
    details->error = details->operation = NULL;
    details->breakage = ITEM_SOUND;
    details->has_no_mime = false;
    details->illegal_character = 0;
}

static void spoil_item(struct command *command, struct item *item, void *context)
{
    struct item_details *details = item_details(item);
    const char *error = command_text(command, "error");
    const char *operation = command_text(command, "operation");
    const char *illegal = command_text(command, "illegal");
    if (command_flag(command, "clear"))
        heal(details);
    read_breakage(command, &details->breakage);
    if (error != NULL) {
        memory_free(details->error);
        details->error = memory_copy_string(error);
    }
    if (operation != NULL) {
        memory_free(details->operation);
        details->operation = memory_copy_string(operation);
    }
    if (illegal != NULL)
        details->illegal_character = (unsigned)strtoul(illegal, NULL, 16) + 1;
    if (command_flag(command, "no_mime"))
        details->has_no_mime = true;
    count_item(context);
}

void command_spoil(struct command *command)
{
    change_items(command, spoil_item);
}
