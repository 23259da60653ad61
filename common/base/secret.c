#define _GNU_SOURCE /* explicit_bzero, MADV_DONTDUMP, MAP_ANONYMOUS */
#include "base/secret.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Lives in pages of its own, so that what is said about them to the kernel (no core dump, no swap)
 * covers the secret and nothing else. */
struct secret {
    size_t mapped; /* bytes of the mapping, whole pages */
    size_t length; /* bytes of the secret, the NUL not counted */
    char bytes[];
};

struct secret *secret_create(const char *bytes, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t needed = sizeof(struct secret) + length + 1;
    size_t mapped = (needed + page - 1) / page * page;
    void *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        fputs("exsyncd: out of memory: no page for a secret\n", stderr);
        abort();
    }
    /* Both are best effort: RLIMIT_MEMLOCK may be used up, and a secret in swap is better than a
     * daemon that does not start. */
    (void)madvise(pages, mapped, MADV_DONTDUMP);
    (void)mlock(pages, mapped);

    struct secret *secret = pages;
    secret->mapped = mapped;
    secret->length = length;
    if (length > 0)
        memcpy(secret->bytes, bytes, length);
    secret->bytes[length] = '\0';
    return secret;
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->bytes;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->length != b->length)
        return false;
    unsigned different = 0; /* no early end: the time taken says nothing about the bytes */
    for (size_t i = 0; i < a->length; i++)
        different |= (unsigned char)a->bytes[i] ^ (unsigned char)b->bytes[i];
    return different == 0;
}

void secret_free(struct secret *secret)
{
    if (secret == NULL)
        return;
    size_t mapped = secret->mapped;
    explicit_bzero(secret, mapped);
    munmap(secret, mapped); /* unlocks as well */
}

void secret_wipe(void *bytes, size_t length)
{
    if (length > 0)
        explicit_bzero(bytes, length);
}
