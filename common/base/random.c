#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *bytes, size_t length)
{
    unsigned char *next = bytes;
    while (length > 0) {
        ssize_t got = getrandom(next, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            /* Linux before 3.17, or a seccomp filter: no id that we could make would be safe. */
            perror("exsyncd: the kernel gives no random numbers");
            abort();
        }
        next += got;
        length -= (size_t)got;
    }
}

uint64_t random_below(uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* The lowest 2^64 mod bound values are thrown away: with them, small results came up more
     * often than others. */
    uint64_t surplus = (UINT64_MAX - bound + 1) % bound;
    uint64_t value;
    do {
        random_bytes(&value, sizeof value);
    } while (value < surplus);
    return value % bound;
}
