/* The folders of the mailbox store. */
#include "base/memory.h"
#include "store_private.h"

#include <string.h>
#include <strings.h>

/* The folders of a new mailbox, parents first. */
static const struct default_folder {
    const char *distinguished;
    const char *parent;
    const char *name;
    const char *folder_class;
} default_folders[] = {
    {"root", NULL, "", ""},
    {"msgfolderroot", "root", "Top of Information Store", "IPF.Note"},
    {"inbox", "msgfolderroot", "Inbox", "IPF.Note"},
    {"drafts", "msgfolderroot", "Drafts", "IPF.Note"},
    {"sentitems", "msgfolderroot", "Sent Items", "IPF.Note"},
    {"deleteditems", "msgfolderroot", "Deleted Items", "IPF.Note"},
    {"outbox", "msgfolderroot", "Outbox", "IPF.Note"},
    {"junkemail", "msgfolderroot", "Junk Email", "IPF.Note"},
    {"recoverableitemsdeletions", "root", "Deletions", "IPF.Note"},
};

static struct folder *add_folder(struct store *store, struct mailbox *mailbox,
                                 struct folder *parent, const char *name)
{
    struct folder *folder = memory_allocate(sizeof *folder);
    folder->number = ++store->next_folder;
    folder->change = ++store->next_change;
    folder->mailbox = mailbox;
    folder->parent = parent;
    folder->name = memory_copy_string(name);
    folder->folder_class = "IPF.Note";
    mailbox->folders =
        memory_resize(mailbox->folders, (mailbox->folder_count + 1) * sizeof(struct folder *));
    mailbox->folders[mailbox->folder_count++] = folder;
    return folder;
}

void create_default_folders(struct store *store, struct mailbox *mailbox)
{
    for (size_t i = 0; i < sizeof default_folders / sizeof *default_folders; i++) {
        const struct default_folder *kind = &default_folders[i];
        struct folder *parent =
            kind->parent == NULL ? NULL : mailbox_distinguished(mailbox, kind->parent);
        struct folder *folder = add_folder(store, mailbox, parent, kind->name);
        folder->distinguished = kind->distinguished;
        folder->folder_class = kind->folder_class;
    }
}

struct folder *mailbox_distinguished(const struct mailbox *mailbox, const char *name)
{
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        struct folder *folder = mailbox->folders[i];
        if (folder->distinguished != NULL && strcasecmp(folder->distinguished, name) == 0)
            return folder;
    }
    return NULL;
}

struct folder *folder_child(const struct folder *parent, const char *name)
{
    for (size_t i = 0; i < parent->mailbox->folder_count; i++) {
        struct folder *folder = parent->mailbox->folders[i];
        if (folder->parent == parent && strcasecmp(folder->name, name) == 0)
            return folder;
    }
    return NULL;
}

size_t folder_child_count(const struct folder *folder)
{
    size_t count = 0;
    for (size_t i = 0; i < folder->mailbox->folder_count; i++)
        count += folder->mailbox->folders[i]->parent == folder;
    return count;
}

bool folder_is_below(const struct folder *folder, const struct folder *ancestor)
{
    for (folder = folder->parent; folder != NULL; folder = folder->parent)
        if (folder == ancestor)
            return true;
    return false;
}

/* Walks the path; what is missing is made when there is a store to make it in, else NULL. */
static struct folder *walk(struct store *store, const struct mailbox *mailbox, const char *path)
{
    struct folder *folder = mailbox_distinguished(mailbox, path);
    if (folder != NULL)
        return folder;
    folder = mailbox_distinguished(mailbox, "msgfolderroot");
    while (*path != '\0' && folder != NULL) {
        size_t length = strcspn(path, "/");
        char *name = memory_copy_bytes(path, length);
        struct folder *child = folder_child(folder, name);
        if (child == NULL && store != NULL && length > 0)
            child = store_create_folder(store, folder, name);
        folder = child;
        memory_free(name);
        path += length + (path[length] == '/');
    }
    return folder;
}

struct folder *mailbox_folder(const struct mailbox *mailbox, const char *path)
{
    return walk(NULL, mailbox, path);
}

struct folder *store_make_folder(struct store *store, struct mailbox *mailbox, const char *path)
{
    return walk(store, mailbox, path);
}

struct folder *store_create_folder(struct store *store, struct folder *parent, const char *name)
{
    return add_folder(store, parent->mailbox, parent, name);
}

void store_delete_folder(struct store *store, struct folder *folder)
{
    while (folder->count > 0)
        store_delete_item(store, folder->items[folder->count - 1]);
    struct mailbox *mailbox = folder->mailbox;
    size_t at = 0;
    while (mailbox->folders[at] != folder)
        at++;
    memmove(mailbox->folders + at, mailbox->folders + at + 1,
            (mailbox->folder_count - at - 1) * sizeof(struct folder *));
    mailbox->folder_count--;
    memory_free(folder->items);
    memory_free(folder->name);
    memory_free(folder);
}

struct folder *mailbox_folder_by_id(const struct mailbox *mailbox, const char *id)
{
    uint64_t number = 0;
    if (entry_read(id, &number) != ENTRY_FOLDER)
        return NULL;
    struct folder *found = NULL;
    for (size_t i = 0; i < mailbox->folder_count && found == NULL; i++)
        if (mailbox->folders[i]->number == number)
            found = mailbox->folders[i];
    if (found == NULL)
        return NULL;
    struct buffer rendered = {0};
    folder_append_id(found, &rendered);
    bool same = strcmp(buffer_string(&rendered), id) == 0;
    buffer_release(&rendered);
    return same ? found : NULL;
}

void folder_append_path(const struct folder *folder, struct buffer *path)
{
    if (folder->parent == NULL || folder->parent->parent == NULL) {
        buffer_append_string(path,
                             folder->distinguished == NULL ? folder->name : folder->distinguished);
        return;
    }
    if (folder->parent->parent->parent != NULL) {
        folder_append_path(folder->parent, path);
        buffer_append_char(path, '/');
    }
    buffer_append_string(path, folder->name);
}

void folder_append_id(const struct folder *folder, struct buffer *buffer)
{
    entry_append_folder_id(buffer, mailbox_owner(folder->mailbox), folder->number);
}
