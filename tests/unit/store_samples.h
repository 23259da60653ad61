/* tests/data/store/version_N.sql: a database of each version, as that version left it, with rows in
 * each table. */
#ifndef EXSYNC_TESTS_UNIT_STORE_SAMPLES_H
#define EXSYNC_TESTS_UNIT_STORE_SAMPLES_H

#include "store_support.h"

static inline char *sample_read(int64_t version)
{
    char path[64];
    char block[4096];
    struct buffer text = {0};
    snprintf(path, sizeof path, "tests/data/store/version_%d.sql", (int)version);
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        return NULL;
    for (size_t count; (count = fread(block, 1, sizeof block, stream)) > 0;)
        buffer_append(&text, block, count);
    fclose(stream);
    return buffer_take(&text);
}

static inline void sample_execute(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    sqlite3_close(database);
}

/* Puts the sample in the place of the fixture's database. */
static inline void sample_write(struct fixture *fixture, int64_t version)
{
    char *text = sample_read(version);
    if (text == NULL)
        fail_msg("tests/data/store/version_%d.sql is missing or cannot be read; run this in the "
                 "root of the tree. To make the sample of a new version: test_store_versions "
                 "--write, then give its new tables and columns values by hand",
                 (int)version);
    sample_execute(fixture->path, text);
    memory_free(text);
}

/* The rows that `sql` gives, a line each, for comparisons. */
static inline char *sample_query(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *query = NULL;
    struct buffer text = {0};
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_prepare_v2(database, sql, -1, &query, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    while (sqlite3_step(query) == SQLITE_ROW)
        buffer_append_format(&text, "%s\n", (const char *)sqlite3_column_text(query, 0));
    sqlite3_finalize(query);
    sqlite3_close(database);
    buffer_append(&text, "", 0);
    return text.data != NULL ? buffer_take(&text) : memory_copy_string("");
}

/* A query for all rows of all tables, with the columns that the database at `path` has now. */
static inline char *sample_rows_query(const char *path)
{
    return sample_query(
        path, "SELECT coalesce(group_concat(part, ' UNION ALL '), '') FROM (SELECT 'SELECT * FROM "
              "(SELECT ''INSERT INTO ' || m.name || ' ('"
              " || group_concat(c.name, ', ') || ') VALUES ('' || '"
              " || group_concat('quote(' || c.name || ')', ' || '', '' || ') || ' || '');'' FROM '"
              " || m.name || ' ORDER BY 1)' AS part FROM sqlite_schema m, pragma_table_info(m.name)"
              " c WHERE m.type = 'table' AND m.name NOT IN ('sqlite_stat1', 'sqlite_stat4')"
              " GROUP BY m.name)");
}

#endif
