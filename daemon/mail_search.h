/* Looking for a message among files: in Maildirs and in the outbox. Blocks: for a job of the pool.
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
    struct mail_search_match matches[MAIL_SEARCH_FOUND];
    size_t count;
    uint64_t files; /* that were opened */
    bool partly;    /* there were more files, or more matches */
};

/* A folder that is not there has no files. Folders within it are left alone. */
void mail_search_folder(struct mail_search *search, const char *folder);

void mail_search_release(struct mail_search *search);

/* The file of a Maildir that was delivered under a name with this number (maildir_name.h), in new/
 * or cur/, whatever a consumer has put behind the name; NULL: it is not there. The caller frees. */
char *mail_search_delivered(const char *maildir, uint64_t file);

/* The first line of a small text file; NULL. The caller frees. */
char *mail_search_first_line(const char *path);

#endif
