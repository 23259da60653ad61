/* Profiles that left the configuration: found by what is still open of them. */
#include "store/store_private.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void gone_run(struct store_connection *connection, enum store_sql sql, const char *profile,
                     int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_text(connection, query, 1, profile);
    if (query != NULL && sqlite3_bind_parameter_count(query) > 1)
        store_bind_number(connection, query, 2, now_ms);
    store_run(connection, query);
}

static void gone_forget(struct store_connection *connection, const char *profile, int64_t now_ms)
{
    static const enum store_sql steps[] = {STORE_SQL_FAILURE_RESOLVE_GONE_PROFILE,
                                           STORE_SQL_GONE_FORGET_OVER, STORE_SQL_GONE_DETACH,
                                           STORE_SQL_GONE_DROP_NOTICES, STORE_SQL_GONE_SETTLE};
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERTS_OF_GONE_PROFILE);
    store_bind_text(connection, query, 1, profile);
    store_alerts_resolve(connection, query, now_ms, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        gone_run(connection, steps[i], profile, now_ms);
}

/* The name that comes after `name` among the profiles of which `sql` finds something open; NULL:
 * none does. To be freed. */
static char *gone_next(struct store_connection *connection, enum store_sql sql, const char *name)
{
    char *next = NULL;
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_text(connection, query, 1, name);
    if (store_row(connection, query))
        next = memory_copy_string((const char *)sqlite3_column_text(query, 0));
    store_end(query);
    return next;
}

static void gone_find(struct store_connection *connection, enum store_sql sql,
                      const char *const *names, size_t count, int64_t now_ms)
{
    char *profile = gone_next(connection, sql, "");
    while (profile != NULL) {
        const char *key = profile;
        if (bsearch(&key, names, count, sizeof *names, compare_names) == NULL)
            gone_forget(connection, profile, now_ms);
        char *next = gone_next(connection, sql, profile);
        memory_free(profile);
        profile = next;
    }
}

void store_forget_gone_profiles(struct store_connection *connection,
                                const struct store_registration *registrations, size_t count,
                                int64_t now_ms)
{
    static const enum store_sql places[] = {STORE_SQL_GONE_FAILURE, STORE_SQL_GONE_ALERT,
                                            STORE_SQL_GONE_OVER, STORE_SQL_GONE_NOTICE};
    const char **names = memory_allocate_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = registrations[i].profile;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        gone_find(connection, places[i], names, count, now_ms);
    memory_free(names);
}
