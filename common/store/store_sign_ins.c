#include "store/store_private.h"

#include "base/memory.h"

/* --- load --- */

struct sign_in_row {
    const char *profile;
    struct store_sign_in sign_in;
};

struct load_operation {
    struct store_operation operation;
    void (*each)(void *argument, const char *profile, const struct store_sign_in *sign_in);
    struct sign_in_row *rows;
    size_t count;
    size_t capacity;
    struct store_strings strings;
};

static void load_run(struct store_connection *connection, struct store_operation *operation)
{
    struct load_operation *loading = (struct load_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SIGN_IN_ALL);
    while (store_row(connection, query)) {
        if (loading->count == loading->capacity) {
            loading->capacity = loading->capacity == 0 ? 16 : 2 * loading->capacity;
            loading->rows = memory_resize(loading->rows, loading->capacity * sizeof *loading->rows);
        }
        loading->rows[loading->count++] = (struct sign_in_row){
            .profile = store_strings_column(&loading->strings, query, 0),
            .sign_in = {.mark = (uint32_t)sqlite3_column_int64(query, 1),
                        .refused = (uint32_t)sqlite3_column_int64(query, 2),
                        .last_ms = sqlite3_column_int64(query, 3)},
        };
    }
}

static void load_finish(struct store_operation *operation)
{
    struct load_operation *loading = (struct load_operation *)operation;
    for (size_t i = 0; operation->failure == NULL && i < loading->count; i++)
        loading->each(operation->argument, loading->rows[i].profile, &loading->rows[i].sign_in);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    memory_free(loading->rows);
    store_strings_release(&loading->strings);
}

void store_sign_ins_load(struct store *store,
                         void (*each)(void *argument, const char *profile,
                                      const struct store_sign_in *sign_in),
                         store_done *done, void *argument)
{
    struct load_operation *loading =
        store_operation_create(sizeof *loading, load_run, done, argument);
    loading->operation.finish = load_finish;
    loading->each = each;
    store_start_read(store, &loading->operation);
}

/* --- save --- */

struct save_operation {
    struct store_operation operation;
    char *profile; /* owned */
    struct store_sign_in sign_in;
};

static void save_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct save_operation *saving = (const struct save_operation *)operation;
    bool forget = saving->sign_in.refused == 0;
    sqlite3_stmt *query =
        store_query(connection, forget ? STORE_SQL_SIGN_IN_FORGET : STORE_SQL_SIGN_IN_SAVE);
    store_bind_text(connection, query, 1, saving->profile);
    if (!forget) {
        store_bind_number(connection, query, 2, saving->sign_in.mark);
        store_bind_number(connection, query, 3, saving->sign_in.refused);
        store_bind_number(connection, query, 4, saving->sign_in.last_ms);
    }
    store_run(connection, query);
}

static void save_finish(struct store_operation *operation)
{
    struct save_operation *saving = (struct save_operation *)operation;
    memory_free(saving->profile);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
}

void store_sign_in_save(struct store *store, const char *profile,
                        const struct store_sign_in *sign_in, store_done *done, void *argument)
{
    struct save_operation *saving =
        store_operation_create(sizeof *saving, save_run, done, argument);
    saving->operation.finish = save_finish;
    saving->profile = memory_copy_string(profile);
    saving->sign_in = *sign_in;
    store_start_write(store, &saving->operation);
}
