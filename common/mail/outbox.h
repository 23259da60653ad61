/* Where outgoing mail comes from: a spool under the state directory.
 *
 *   STATE/outbox/tmp     programs write here and rename into new/ (mode 3730, group exsync-submit:
 *                        nobody lists it or removes what is another's, and files are the group's,
 *                        so that the daemon, a member, can read those of mode 640)
 *   STATE/outbox/new     what programs have submitted (the same mode); names that begin with a dot
 *                        are left alone
 *   STATE/outbox/intake  what is being looked at (0700, as the next three)
 *   STATE/outbox/queue   ID.eml: what is on its way, as it goes out (CRLF, no Bcc)
 *   STATE/outbox/kept    ID: the same as it was submitted, which a store that was put back from a
 *                        backup is told anew
 *   STATE/outbox/failed  ID.eml and ID.reason: what needs a person
 *
 * Without the group all are 0700: the daemon's user alone submits.
 *
 *   submission id  a UUID, given when a file leaves new/; its name from then on. Ids sort in the
 *                  order in which the files came
 *   envelope       what the header says, and who owns the file
 *
 * A message's way: new/NAME is renamed to intake/ID (outbox_scan), looked at (outbox_inspect), and
 * either copied to queue/ID.eml, synced (outbox_accept), told to the store by the caller, and then
 * moved to kept/ (outbox_settle); or moved to failed/ (outbox_refuse). After a crash what is
 * in intake/ is listed again under the same id: what the store knows is only settled. queue/ID.eml
 * without a row in the store is a copy that was not told: made again.
 *
 * The file's owner is the submitter. Files that are not regular, have several links, or cannot be
 * read go to failed/ with the reason. A submitter who still writes to a file that was renamed
 * changes nothing: what goes out is the copy.
 *
 * All functions run on the loop, all file operations in jobs of the pool, in a lane of their own.
 * What is asked for in one turn of the loop (inspect, accept, settle, remove, read) goes in jobs of
 * some 20 files each, which open a folder once and sync it once for all of theirs; each file has
 * its own completion and its own failure. Completions come from the loop, never from within the
 * start. Nothing can be cancelled: the outbox is freed when outbox_pending is 0. Strings and
 * structs that are passed in stay valid until done.
 */
#ifndef EXSYNC_MAIL_OUTBOX_H
#define EXSYNC_MAIL_OUTBOX_H

#include "base/executor.h"
#include "base/failure.h"
#include "mail/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    OUTBOX_ID_SIZE = 37,
    OUTBOX_SCAN_MAX = 200, /* files that one scan takes */
};

#define OUTBOX_GROUP "exsync-submit"

struct outbox;

/* `directory` is STATE/outbox; copied. */
struct outbox *outbox_create(struct executor *executor, struct executor_pool *pool,
                             const char *directory);
/* NULL is allowed. When nothing is pending, or when the pool was freed: what that has dropped is
 * forgotten. */
void outbox_free(struct outbox *outbox);
/* Calls without their completion yet. NULL: none. */
size_t outbox_pending(const struct outbox *outbox);

/* As it was created with. */
const char *outbox_directory(const struct outbox *outbox);

/* The folder in which submitted files appear, to be watched. */
const char *outbox_watched(const struct outbox *outbox);

/* `done` may be NULL. */
typedef void outbox_done(void *argument, const struct failure *failure);

/* Makes the folders that are missing, with their modes and, when there is one, the group; takes
 * away what has lain in tmp/ for 36 hours. May be called again, while all else goes on: when there
 * is the group now, for one. */
void outbox_open(struct outbox *outbox, outbox_done *done, void *argument);

/* Takes away what has lain in tmp/ for 36 hours, left by programs that were killed. */
void outbox_tidy(struct outbox *outbox, outbox_done *done, void *argument);

/* What those who submit may know of the configuration: STATE/outbox/policy, an INI file that
 * everybody who may enter the folder can read. exsync-submit goes by it
 * (tools/exsync_submit_policy.h). */
struct outbox_policy {
    bool recipients_rewrite;
    uint64_t max_message_size; /* bytes; 0: no limit */
    uint64_t min_free;         /* bytes that must stay free; 0: none */
};
void outbox_publish_policy(struct outbox *outbox, const struct outbox_policy *policy,
                           outbox_done *done, void *argument);

/* --- taking in --- */

/* `ids` in the order in which the files came (their times of change, then their names), those left
 * in intake/ first: whatever was neither settled nor refused is told again by each scan. `more`:
 * there are more of them, or may be: one look at new/ serves several scans, and what has come since
 * is found by the next look. With a failure there may be ids all the same: something in new/ could
 * not be taken (a folder, say), and nothing else waits for it. They are on disk; valid during the
 * call.
 */
typedef void outbox_scan_done(void *argument, const struct failure *failure,
                              const char (*ids)[OUTBOX_ID_SIZE], size_t count, bool more);
void outbox_scan(struct outbox *outbox, outbox_scan_done *done, void *argument);

/* How many files wait in new/, while nobody scans. failure->gone: there is no outbox; none is made.
 */
typedef void outbox_count_done(void *argument, const struct failure *failure, size_t count);
void outbox_count_waiting(struct outbox *outbox, outbox_count_done *done, void *argument);

struct outbox_envelope {
    uid_t submitter;
    char *submitter_name; /* NULL when the user has none; owned, as all below */
    gid_t *groups;        /* of the submitter */
    size_t group_count;
    uint64_t size;            /* bytes of the file */
    struct address_list from; /* RFC 5322 wants at least one; several are allowed */
    struct address_list sender;
    struct address_list to, cc, bcc; /* Resent-* fields, when there are some, instead */
    char *subject;                   /* UTF-8, one line, "" when there is none */
    char *message_id;                /* with its brackets; NULL: none, or none that can be used */
    bool null_sender;    /* Return-Path: <>, or Auto-Submitted other than "no", or a content type
                          * multipart/report: nobody is to be told of its fate */
    const char *problem; /* static: why it cannot be taken, one sentence; NULL: it can */
};

/* The envelope is the caller's, to be released. Only the header is read, so outbox_accept may find
 * problems, too; that there are no recipients is none. With a failure nothing of it counts:
 * failure->gone says that the file is not there, all others may pass. */
typedef void outbox_inspect_done(void *argument, const struct failure *failure,
                                 struct outbox_envelope *envelope);
void outbox_inspect(struct outbox *outbox, const char *id, outbox_inspect_done *done,
                    void *argument);
void outbox_envelope_release(struct outbox_envelope *envelope);

/* What is changed in the copy. Bcc, Resent-Bcc, Return-Path and lines that are no field never go
 * into it; a missing Date is added (when the file was last written), a Message-ID that cannot be
 * used, or a second one, is left out. A mark of UTF-8 at the beginning goes as the mbox line does.
 */
struct outbox_edit {
    const char *from; /* the whole body of another From field; NULL: as it stands */
    bool without_to;  /* To and Cc are left out: nobody is to get the message by them, and the */
    bool without_cc;  /* server would take them for recipients (of a resent message, say) */
    const char *message_id; /* added when the message has none that can be used; with brackets */
};

/* `size`: bytes of the copy. The file and its folder are on disk then. A permanent failure of scope
 * item says by its sentence why the message cannot be taken after all: to be refused. */
typedef void outbox_accept_done(void *argument, const struct failure *failure, uint64_t size);
void outbox_accept(struct outbox *outbox, const char *id, const struct outbox_edit *edit,
                   outbox_accept_done *done, void *argument);

/* The store knows it: from intake/ to kept/. */
void outbox_settle(struct outbox *outbox, const char *id, outbox_done *done, void *argument);

/* To failed/, with `reason` (why, in one line, perhaps a line more) beside it; on disk then. From
 * intake/ or kept/, as it was submitted; where it is in neither, its copy from queue/.
 * failure->gone: the message is in none of the four; the reason is written all the same. */
void outbox_refuse(struct outbox *outbox, const char *id, const char *reason, outbox_done *done,
                   void *argument);

/* A person is done with it: removes it and its reason from failed/. Files that are not there are
 * fine. On disk then. */
void outbox_discard(struct outbox *outbox, const char *id, outbox_done *done, void *argument);

/* It was sent: takes it out of queue/, kept/ and, where it is not settled yet, intake/. A file that
 * is not there is fine. */
void outbox_remove(struct outbox *outbox, const char *id, outbox_done *done, void *argument);

/* The store does not know them (any more): from kept/ to intake/, where the next scan finds them. A
 * file that is not there is fine, and one that lies in failed/ as well is removed from kept/: it
 * was refused, and a kill came before that was over. With a failure all others were moved. On disk
 * then. */
void outbox_take_back(struct outbox *outbox, const char *const *ids, size_t count,
                      outbox_done *done, void *argument);

/* All ids of a folder, sorted: for finding those that were sent before a crash and not removed, and
 * what a store that was put back does not know. Valid during the call. failure->gone: there is no
 * such folder. */
enum outbox_part { OUTBOX_IN_INTAKE, OUTBOX_IN_QUEUE, OUTBOX_IN_KEPT, OUTBOX_IN_FAILED };
typedef void outbox_list_done(void *argument, const struct failure *failure,
                              const char (*ids)[OUTBOX_ID_SIZE], size_t count);
void outbox_list(struct outbox *outbox, enum outbox_part part, outbox_list_done *done,
                 void *argument);

/* Which of these have a file in a folder: `found` holds `count`. With a failure it tells nothing,
 * but when failure->gone: there is no such folder, and so they have none. Costs a look for each id,
 * however many files the folder has. */
void outbox_look_for(struct outbox *outbox, enum outbox_part part, const char *const *ids,
                     size_t count, bool *found, outbox_done *done, void *argument);

/* --- reading queue/ID.eml as it goes out --- */

struct outbox_reader;

/* `on_ready` is called when bytes are there again after outbox_read has returned 0. The beginning
 * of the file is read at once, that of several readers in one job: at most 64 KB each, and another
 * 64 when it is asked for. */
struct outbox_reader *outbox_reader_create(struct outbox *outbox, const char *id,
                                           void (*on_ready)(void *argument), void *argument);
/* At any time, NULL too; a job that runs goes to its end by itself. */
void outbox_reader_free(struct outbox_reader *reader);

/* Copies at most `size` bytes; 0: none are there at the moment; SIZE_MAX: it failed, see
 * outbox_reader_failure. Behind the last byte 0 without an on_ready to come. */
size_t outbox_read(struct outbox_reader *reader, char *room, size_t size);
void outbox_rewind(struct outbox_reader *reader);
/* Not set when nothing has failed; never NULL. */
const struct failure *outbox_reader_failure(const struct outbox_reader *reader);

#endif
