/* Control commands about mailboxes and folders. */
#include "control_command.h"
#include "mailbox_store.h"
#include "simulator.h"

/* The mailbox of the parameter `mailbox`; NULL after an error. */
static struct mailbox *required_mailbox(struct command *command)
{
    const char *address = command_required(command, "mailbox");
    if (address == NULL)
        return NULL;
    struct mailbox *mailbox = store_find_mailbox(command->simulator->store, address);
    if (mailbox == NULL)
        command_fail(command, "there is no mailbox %s", address);
    return mailbox;
}

void command_mailboxes(struct command *command)
{
    struct store *store = command->simulator->store;
    json_t *list = json_array();
    store_lock_for_reading(store);
    for (size_t i = 0; i < store_mailbox_count(store); i++) {
        const struct mailbox *mailbox = store_mailbox(store, i);
        struct buffer sid = {0};
        mailbox_append_sid(mailbox, &sid);
        json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "address", mailbox->address, "sid",
                                              buffer_string(&sid), "running",
                                              (int)atomic_load(&mailbox->running)));
        buffer_release(&sid);
    }
    store_unlock(store);
    json_object_set_new(command->answer, "mailboxes", list);
}

void command_add_mailbox(struct command *command)
{
    const char *address = command_required(command, "address");
    if (address == NULL)
        return;
    store_lock_for_writing(command->simulator->store);
    store_add_mailbox(command->simulator->store, address);
    store_unlock(command->simulator->store);
}

void command_folders(struct command *command)
{
    struct store *store = command->simulator->store;
    json_t *list = json_array();
    store_lock_for_reading(store);
    const struct mailbox *mailbox = required_mailbox(command);
    for (size_t i = 0; mailbox != NULL && i < mailbox->folder_count; i++) {
        const struct folder *folder = mailbox->folders[i];
        struct buffer path = {0};
        struct buffer id = {0};
        folder_append_path(folder, &path);
        folder_append_id(folder, &id);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:i, s:i}", "folder", buffer_string(&path),
                                        "name", folder->name, "id", buffer_string(&id), "count",
                                        (int)folder->count, "unread", (int)folder->unread));
        buffer_release(&id);
        buffer_release(&path);
    }
    store_unlock(store);
    json_object_set_new(command->answer, "folders", list);
}

void command_create_folder(struct command *command)
{
    const char *path = command_required(command, "folder");
    store_lock_for_writing(command->simulator->store);
    struct mailbox *mailbox = required_mailbox(command);
    if (mailbox != NULL && path != NULL)
        store_make_folder(command->simulator->store, mailbox, path);
    store_unlock(command->simulator->store);
}

void command_renew_ids(struct command *command)
{
    store_lock_for_writing(command->simulator->store);
    struct mailbox *mailbox = required_mailbox(command);
    if (mailbox != NULL)
        store_renew_ids(command->simulator->store, mailbox);
    store_unlock(command->simulator->store);
}
