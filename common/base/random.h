/* The one source of randomness: the kernel's, good enough for secrets. Any thread. */
#ifndef EXSYNC_BASE_RANDOM_H
#define EXSYNC_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *bytes, size_t length);

/* An even choice from 0 to bound - 1; bound 0 gives 0. */
uint64_t random_below(uint64_t bound);

#endif
