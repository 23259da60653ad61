/* The kernel's list of mounts: whatever stands in it, a path is below the mount that is found. */
#include "mail/mounts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mounts *mounts, const char *path)
{
    const char *mount = mounts_find(mounts, path);
    size_t length = strlen(mount);
    if (mount[0] != '/' || strncmp(mount, path, length) != 0 ||
        (length > 1 && path[length] != '/' && path[length] != '\0'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mounts *mounts = mounts_parse((const char *)data, size);
    check(mounts, "/");
    check(mounts, "/srv/mail/example.com/user");
    check(mounts, "/srv/my mail/user");
    mounts_find_id(mounts, 22);
    mounts_free(mounts);
    return 0;
}
