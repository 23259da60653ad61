/* The number by which a Message-ID is known where it is kept a million times and only asked for by
 * people: the first 64 bits of its digest. Two of a million have the same one once in 37 million
 * such databases; who asks then sees a message too many. */
#ifndef EXSYNC_BASE_MESSAGE_ID_H
#define EXSYNC_BASE_MESSAGE_ID_H

#include <stddef.h>
#include <stdint.h>

/* White space around it, and its angle brackets, count for nothing: "<a@b>" is " a@b". 0: there is
 * none. */
uint64_t message_id_number(const char *text, size_t length);

#endif
