#include "store/store_private.h"

#include "base/memory.h"

/* --- load --- */

struct folders_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    const char *const *names;
    size_t count;
    struct store_folder *folders;
    char **sink_path;
};

static void folder_insert(struct store_connection *connection, int64_t mailbox, const char *name,
                          struct store_folder *folder)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FOLDER_INSERT);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_text(connection, query, 2, name);
    store_bind_number(connection, query, 3, folder->process_from_ms);
    store_run(connection, query);
    *folder = (struct store_folder){
        .watermark_ms = folder->process_from_ms,
        .process_from_ms = folder->process_from_ms,
        .total = -1,
    };
}

static void folder_load(struct store_connection *connection, int64_t mailbox, const char *name,
                        struct store_folder *folder)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FOLDER_LOAD);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_text(connection, query, 2, name);
    if (!store_row(connection, query)) {
        folder_insert(connection, mailbox, name, folder);
        return;
    }
    *folder = (struct store_folder){
        .watermark_ms = sqlite3_column_int64(query, 0),
        .process_from_ms = sqlite3_column_int64(query, 1),
        .total = sqlite3_column_int64(query, 2),
        .pass_started_ms = sqlite3_column_int64(query, 3),
        .pass_offset = sqlite3_column_int64(query, 4),
        .pass_done_ms = sqlite3_column_int64(query, 5),
    };
    store_end(query);
}

static void folders_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct folders_operation *loading = (const struct folders_operation *)operation;
    store_check_lease(connection, loading->mailbox);
    for (size_t i = 0; i < loading->count && !store_failed(connection); i++)
        folder_load(connection, loading->mailbox.number, loading->names[i], &loading->folders[i]);

    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_SINK_PATH);
    store_bind_number(connection, query, 1, loading->mailbox.number);
    memory_free(*loading->sink_path); /* of an attempt that was undone */
    *loading->sink_path = NULL;
    if (store_row(connection, query))
        *loading->sink_path = memory_copy_string((const char *)sqlite3_column_text(query, 0));
    store_end(query);
}

static void folders_finish(struct store_operation *operation)
{
    const struct folders_operation *loading = (const struct folders_operation *)operation;
    if (operation->failure != NULL) {
        memory_free(*loading->sink_path); /* read before COMMIT failed */
        *loading->sink_path = NULL;
    }
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
}

/* On the writer's thread: a folder may be new. When none is, nothing is written. */
void store_folders_load(struct store *store, struct store_mailbox mailbox, const char *const *names,
                        size_t count, struct store_folder *folders, char **sink_path,
                        store_done *done, void *argument)
{
    struct folders_operation *operation =
        store_operation_create(sizeof *operation, folders_run, done, argument);
    operation->operation.finish = folders_finish;
    operation->mailbox = mailbox;
    operation->names = names;
    operation->count = count;
    operation->folders = folders;
    *sink_path = NULL;
    operation->sink_path = sink_path;
    store_start_write(store, &operation->operation);
}

/* --- save --- */

struct folder_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    const char *name;
    struct store_folder folder;
};

static void folder_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct folder_operation *saving = (const struct folder_operation *)operation;
    const struct store_folder *folder = &saving->folder;
    store_check_lease(connection, saving->mailbox);
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FOLDER_SAVE);
    store_bind_number(connection, query, 1, saving->mailbox.number);
    store_bind_text(connection, query, 2, saving->name);
    store_bind_number(connection, query, 3, folder->watermark_ms);
    store_bind_number(connection, query, 4, folder->process_from_ms);
    store_bind_number(connection, query, 5, folder->total);
    store_bind_number(connection, query, 6, folder->pass_started_ms);
    store_bind_number(connection, query, 7, folder->pass_offset);
    store_bind_number(connection, query, 8, folder->pass_done_ms);
    store_run(connection, query);
}

void store_folder_save(struct store *store, struct store_mailbox mailbox, const char *name,
                       const struct store_folder *folder, store_done *done, void *argument)
{
    struct folder_operation *operation =
        store_operation_create(sizeof *operation, folder_run, done, argument);
    operation->mailbox = mailbox;
    operation->name = name;
    operation->folder = *folder;
    store_start_write(store, &operation->operation);
}
