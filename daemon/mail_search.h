/* Looking for a message among files: in Maildirs and in the outbox. Blocks: for a job of the pool.
 *
 * Where a Maildir is, is the administrator's choice, and symbolic links on the way to it are
 * followed. What is within it may be a consumer's doing: neither new/ and cur/ nor files are
 * followed when they are links, nor is anything but a regular file opened.
 *
 * Of a folder only the MAIL_SEARCH_NEWEST newest files are opened, by the time at which their names
 * begin (a Maildir's) or in which they sort (the outbox's), and of each only its header is read. A
 * file that vanishes meanwhile is not there; none is changed. */
#ifndef EXSYNC_DAEMON_MAIL_SEARCH_H
#define EXSYNC_DAEMON_MAIL_SEARCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAIL_SEARCH_NEWEST = 1000, MAIL_SEARCH_FOUND = 100 };

struct mail_search_match {
    char *path;
    char *name;       /* of the file; within path */
    char *message_id; /* as it stands in the header; NULL: there is none */
    char *subject;    /* UTF-8, "" when there is none */
};

/* Begins with what is wanted and zeroes; folders are added one after the other. */
struct mail_search {
    const char *message_id; /* the caller's; NULL: any */
    const char *subject;    /* a part of it, whatever the case of ASCII letters; NULL: any */
    const char *name;       /* that the file's begins with; NULL: any */
    atomic_bool *stop;      /* the caller's; gives up as soon as it is true */
    atomic_uint *progress;  /* the caller's, or NULL: counts each name that was read, each file */
    struct mail_search_match matches[MAIL_SEARCH_FOUND];
    size_t count;
    uint64_t files; /* that were opened */
    bool partly;    /* there were more files, or more matches */
};

/* A folder that is not there, or is a symbolic link, has no files. Folders within it are left
 * alone.
 */
void mail_search_folder(struct mail_search *search, const char *folder);

void mail_search_release(struct mail_search *search);

/* One file's header, size and owner. */
struct mail_search_file {
    char *message_id; /* the caller's to free; NULL: there is none */
    char *subject;    /* the same; "" when there is none */
    uint64_t size;
    uint32_t owner;
};

/* False, with nothing to free: it is not there, or no regular file. */
bool mail_search_file(const char *path, struct mail_search_file *found);

/* The file of a Maildir that was delivered under a name with this number (maildir_name.h), in new/
 * or cur/, whatever a consumer has put behind the name: its path; NULL, with nothing found: it is
 * not there. The caller frees. `*progress` counts the names that are read; NULL. */
char *mail_search_delivered(const char *maildir, uint64_t file, struct mail_search_file *found,
                            atomic_uint *progress);

/* The first line of a small text file; NULL. The caller frees. */
char *mail_search_first_line(const char *path);

#endif
