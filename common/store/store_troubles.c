/* What has failed before a registration and has not worked since. */
#include "store/store_private.h"

#include "base/memory.h"

struct troubled {
    int64_t mailbox;
    bool incoming;
    struct store_trouble trouble;
};

struct troubles {
    struct troubled *all; /* by mailbox */
    size_t count;
    size_t capacity;
};

static void troubles_read(struct store_connection *connection, struct troubles *troubles)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_TROUBLES);
    while (store_row(connection, query)) {
        if (troubles->count == troubles->capacity) {
            troubles->capacity = troubles->capacity == 0 ? 16 : 2 * troubles->capacity;
            troubles->all =
                memory_resize(troubles->all, troubles->capacity * sizeof *troubles->all);
        }
        int64_t failures = sqlite3_column_int64(query, 2);
        troubles->all[troubles->count++] = (struct troubled){
            .mailbox = sqlite3_column_int64(query, 0),
            .incoming = sqlite3_column_int(query, 1) != 0,
            .trouble = {.failures = failures > UINT32_MAX ? UINT32_MAX : (uint32_t)failures,
                        .since_ms = sqlite3_column_int64(query, 3)},
        };
    }
}

/* The first one that is not before this mailbox's. */
static size_t troubles_from(const struct troubles *troubles, int64_t mailbox)
{
    size_t low = 0, high = troubles->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (troubles->all[middle].mailbox < mailbox)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void store_read_troubles(struct store_connection *connection,
                         struct store_registration *registrations, size_t count)
{
    struct troubles troubles = {0};
    troubles_read(connection, &troubles);
    for (size_t i = 0; i < count; i++) {
        struct store_registration *registration = &registrations[i];
        int64_t number = registration->mailbox.number;
        registration->incoming_trouble = registration->outgoing_trouble = (struct store_trouble){0};
        for (size_t next = troubles_from(&troubles, number);
             next < troubles.count && troubles.all[next].mailbox == number; next++)
            *(troubles.all[next].incoming ? &registration->incoming_trouble
                                          : &registration->outgoing_trouble) =
                troubles.all[next].trouble;
    }
    memory_free(troubles.all);
}
