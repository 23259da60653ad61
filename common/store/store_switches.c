/* What administrators have switched off: directions of mailboxes, and whole profiles. */
#include "store/store_actions.h"
#include "store/store_private.h"

#include "base/memory.h"

/* --- mailboxes --- */

struct switch_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    unsigned directions;
    bool on;
    uint32_t user;
    int64_t now_ms;
    struct store_resolved *resolved;
};

static void switch_one(struct store_connection *connection,
                       const struct switch_operation *switching, enum store_direction direction)
{
    int64_t number = switching->mailbox.number;
    sqlite3_stmt *query =
        store_query(connection, switching->on ? STORE_SQL_SWITCH_ON : STORE_SQL_SWITCH_OFF);
    store_bind_number(connection, query, 1, number);
    store_bind_number(connection, query, 2, direction);
    if (!switching->on) {
        store_bind_number(connection, query, 3, switching->now_ms);
        store_bind_number(connection, query, 4, switching->user);
    }
    store_run(connection, query);
}

static void switch_run(struct store_connection *connection, struct store_operation *operation)
{
    static const struct {
        enum store_direction direction;
        const char *name;
    } all[] = {{STORE_INCOMING, "incoming"}, {STORE_OUTGOING, "outgoing"}};
    const struct switch_operation *switching = (const struct switch_operation *)operation;
    struct store_resolved resolved = {0};
    store_check_lease(connection, switching->mailbox);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if ((switching->directions & all[i].direction) == 0)
            continue;
        switch_one(connection, switching, all[i].direction);
        if (!switching->on)
            store_resolve_direction(connection, switching->mailbox.number, all[i].name,
                                    switching->now_ms, &resolved);
    }
    if (switching->resolved != NULL)
        *switching->resolved = resolved;
}

void store_mailbox_switch(struct store *store, struct store_mailbox mailbox, unsigned directions,
                          bool on, uint32_t user, int64_t now_ms, struct store_resolved *resolved,
                          store_done *done, void *argument)
{
    struct switch_operation *switching =
        store_operation_create(sizeof *switching, switch_run, done, argument);
    switching->mailbox = mailbox;
    switching->directions = directions;
    switching->on = on;
    switching->user = user;
    switching->now_ms = now_ms;
    switching->resolved = resolved;
    store_start_write(store, &switching->operation);
}

/* --- profiles: loaded --- */

struct pauses_operation {
    struct store_operation operation;
    void (*each)(void *argument, const struct store_pause *pause);
    struct store_pause *pauses;
    size_t count;
    size_t capacity;
    struct store_strings strings;
};

static void pauses_run(struct store_connection *connection, struct store_operation *operation)
{
    struct pauses_operation *loading = (struct pauses_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_PAUSE_ALL);
    while (store_row(connection, query)) {
        if (loading->count == loading->capacity) {
            loading->capacity = loading->capacity == 0 ? 8 : 2 * loading->capacity;
            loading->pauses =
                memory_resize(loading->pauses, loading->capacity * sizeof *loading->pauses);
        }
        loading->pauses[loading->count++] = (struct store_pause){
            .profile = store_strings_column(&loading->strings, query, 0),
            .since_ms = sqlite3_column_int64(query, 1),
            .user = (uint32_t)sqlite3_column_int64(query, 2),
        };
    }
}

static void pauses_finish(struct store_operation *operation)
{
    struct pauses_operation *loading = (struct pauses_operation *)operation;
    for (size_t i = 0; operation->failure == NULL && i < loading->count; i++)
        loading->each(operation->argument, &loading->pauses[i]);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    memory_free(loading->pauses);
    store_strings_release(&loading->strings);
}

void store_pauses_load(struct store *store,
                       void (*each)(void *argument, const struct store_pause *pause),
                       store_done *done, void *argument)
{
    struct pauses_operation *loading =
        store_operation_create(sizeof *loading, pauses_run, done, argument);
    loading->operation.finish = pauses_finish;
    loading->each = each;
    store_start_read(store, &loading->operation);
}

/* --- profiles: changed --- */

struct pause_operation {
    struct store_operation operation;
    char *profile; /* owned */
    bool paused;
    int64_t since_ms;
    uint32_t user;
};

static void pause_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct pause_operation *pausing = (const struct pause_operation *)operation;
    sqlite3_stmt *query =
        store_query(connection, pausing->paused ? STORE_SQL_PAUSE : STORE_SQL_PAUSE_END);
    store_bind_text(connection, query, 1, pausing->profile);
    if (pausing->paused) {
        store_bind_number(connection, query, 2, pausing->since_ms);
        store_bind_number(connection, query, 3, pausing->user);
    }
    store_run(connection, query);
}

static void pause_finish(struct store_operation *operation)
{
    struct pause_operation *pausing = (struct pause_operation *)operation;
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    memory_free(pausing->profile);
}

static struct pause_operation *pause_create(const char *profile, store_done *done, void *argument)
{
    struct pause_operation *pausing =
        store_operation_create(sizeof *pausing, pause_run, done, argument);
    pausing->operation.finish = pause_finish;
    pausing->profile = memory_copy_string(profile);
    return pausing;
}

void store_profile_pause(struct store *store, const struct store_pause *pause, store_done *done,
                         void *argument)
{
    struct pause_operation *pausing = pause_create(pause->profile, done, argument);
    pausing->paused = true;
    pausing->since_ms = pause->since_ms;
    pausing->user = pause->user;
    store_start_write(store, &pausing->operation);
}

void store_profile_resume(struct store *store, const char *profile, store_done *done,
                          void *argument)
{
    struct pause_operation *pausing = pause_create(profile, done, argument);
    store_start_write(store, &pausing->operation);
}
