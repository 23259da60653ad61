#define _GNU_SOURCE /* strerror_r as GNU has it */
#include "store/store_private.h"

#include <string.h>

struct store_words {
    int result; /* 0 ends the table and stands for all others */
    const char *code;
    bool permanent;
    const char *sentence;
    const char *remedy;
};

static const char DAMAGED[] = "The database is damaged.";
static const char RESTORE[] =
    "Stop exsyncd, keep a copy of the database, and restore it from a backup or recover it with "
    "\"sqlite3 FILE .recover\". Without its ledger, mail would be delivered a second time.";

static const struct store_words words_of[] = {
    {SQLITE_FULL, "SQLITE_FULL", false, "The disk is full; the database cannot be written.",
     "Free space on the file system of the state directory; the work then goes on."},
    {SQLITE_BUSY, "SQLITE_BUSY", false, "Another program keeps the database locked.",
     "Find the program that holds the database open (fuser or lsof names it: a backup, sqlite3) "
     "and "
     "let it end; the work then goes on. Back up with exsyncctl backup, which does not keep others "
     "waiting."},
    {SQLITE_LOCKED, "SQLITE_LOCKED", false, "The database is locked.", ""},
    {SQLITE_IOERR, "SQLITE_IOERR", false, "The database cannot be read or written.",
     "See the kernel log, check the disk and the file system, and whether a limit on the size of "
     "files (LimitFSIZE=) is set."},
    {SQLITE_READONLY, "SQLITE_READONLY", false, "The database can only be read.",
     "Give the daemon's user write access to the state directory and all files in it, and see "
     "that its file system is mounted writable."},
    {SQLITE_PERM, "SQLITE_PERM", false, "The daemon has no permission to use the database.",
     "Give the daemon's user write access to the state directory and all files in it."},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN", false, "The database cannot be opened.",
     "Give the daemon's user write access to the state directory and all files in it."},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT", true, DAMAGED, RESTORE},
    {SQLITE_NOTADB, "SQLITE_NOTADB", true, "The database's file is not a database.", RESTORE},
    {SQLITE_FORMAT, "SQLITE_FORMAT", true, DAMAGED, RESTORE},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL", false, "The locks of the database do not work.",
     "Put the state directory on a local file system."},
    {SQLITE_NOLFS, "SQLITE_NOLFS", false, "The file system does not take files of this size.",
     "Put the state directory on another file system."},
    {SQLITE_NOMEM, "SQLITE_NOMEM", false, "The system has no memory left.",
     "Find out what uses the memory, or add some."},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG", false, "A value is too large for the database.", ""},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", false,
     "The database does not take a row that contradicts another.", ""},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA", false, "The database was changed by another program.", ""},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH", false, "The database does not take a value.", ""},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT", false, "The work on the database was interrupted.", ""},
    {SQLITE_MISUSE, "SQLITE_MISUSE", false, "The database was used in a wrong way.", ""},
    {0, "SQLITE_ERROR", false, "The database refused an action.",
     "See the details of the failure; a database that another program has changed must be restored "
     "from a backup."},
};

struct failure store_failure_from_sqlite(const char *step, int result, sqlite3 *database,
                                         const char *path)
{
    const struct store_words *words = words_of;
    while (words->result != 0 && words->result != (result & 0xff))
        words++;
    struct failure failure =
        store_failure_of(step, words->code, words->permanent, words->sentence, words->remedy);
    const char *said = database != NULL ? sqlite3_errmsg(database) : sqlite3_errstr(result);
    int error = database != NULL ? sqlite3_system_errno(database) : 0;
    char room[128];
    bool detailed = result != (result & 0xff);
    if (detailed && error != 0)
        failure_format_text(&failure, "%s: %s (%d, %s)", path, said, result,
                            strerror_r(error, room, sizeof room));
    else if (detailed)
        failure_format_text(&failure, "%s: %s (%d)", path, said, result);
    else
        failure_format_text(&failure, "%s: %s", path, said);
    return failure;
}

struct failure store_failure_of(const char *step, const char *code, bool permanent,
                                const char *sentence, const char *remedy)
{
    struct failure failure = {
        .category = FAILURE_STORAGE,
        .scope = FAILURE_SCOPE_SERVER,
        .permanent = permanent,
        .sentence = sentence,
        .remedy = remedy,
    };
    failure_set_code(&failure, code);
    failure_set_step(&failure, step);
    return failure;
}
