/* Fills mailboxes with messages before the simulator starts to listen. */
#ifndef EXCHANGE_LOADER_H
#define EXCHANGE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct folder;
struct mailbox;
struct simulator;

/* The received times of what is loaded into one folder. */
struct loader_times {
    int64_t start; /* of the first message */
    int64_t step;  /* seconds between groups */
    size_t group;  /* messages that share a second; 1 at least */
};

/* A message, or the *.eml of a directory in the order of their names, shared by all who load them.
 */
struct message_set {
    struct message **list; /* references */
    size_t count;
};

/* Reads PATH; false with errno set when it cannot be read, or holds no message. */
bool message_set_read(struct message_set *set, const char *path);
void message_set_release(struct message_set *set);

/* Puts `count` messages of the set, in turn, into a folder. */
void loader_fill(struct simulator *simulator, struct folder *folder, const struct message_set *set,
                 size_t count, const struct loader_times *times);

#endif
