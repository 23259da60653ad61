#include "mail/maildir_name.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "mail/sink.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char hexadecimal[] = "0123456789abcdef";

void maildir_host(const char *name, char host[MAILDIR_HOST_SIZE])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    size_t length = 0;
    for (; *name != '\0'; name++) {
        bool fits = strchr(plain, *name) != NULL;
        if (length + (fits ? 1 : 4) >= MAILDIR_HOST_SIZE)
            break;
        if (fits)
            host[length++] = *name;
        else
            length += (size_t)snprintf(host + length, MAILDIR_HOST_SIZE - length, "\\%03o",
                                       (unsigned char)*name);
    }
    host[length] = '\0';
    if (length == 0)
        snprintf(host, MAILDIR_HOST_SIZE, "localhost");
}

char *maildir_name_create(const char *instance, uint64_t owner, const char *host)
{
    uint64_t number;
    random_bytes(&number, sizeof number);
    char name[SINK_NAME_SIZE];
    int length =
        snprintf(name, sizeof name, "%" PRId64 ".%.*sb%" PRIu64 "r%016" PRIx64 ".%s",
                 clock_wall_ms() / 1000, MAILDIR_INSTANCE_DIGITS, instance, owner, number, host);
    assert(length > 0 && (size_t)length < sizeof name);
    return memory_copy_bytes(name, (size_t)length);
}

char *maildir_name_with_size(const char *spool_name, uint64_t size)
{
    char name[SINK_NAME_SIZE];
    int length = snprintf(name, sizeof name, "%s,S=%" PRIu64, spool_name, size);
    assert(length > 0 && (size_t)length < sizeof name);
    return memory_copy_bytes(name, (size_t)length);
}

/* Moves *at past characters of `set`; false when there are fewer than `least` or more than `most`.
 */
static bool skip(const char **at, const char *set, size_t least, size_t most)
{
    size_t count = strspn(*at, set);
    *at += count;
    return count >= least && count <= most;
}

static bool skip_text(const char **at, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool skip_owner(const char **at, const uint64_t *owner)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64 "r", owner != NULL ? *owner : 0);
    return owner != NULL ? skip_text(at, text) : skip(at, digits, 1, 20) && skip_text(at, "r");
}

bool maildir_name_is_ours(const char *name, const char *instance, const uint64_t *owner)
{
    char mark[MAILDIR_INSTANCE_DIGITS + 3];
    snprintf(mark, sizeof mark, ".%.*sb", MAILDIR_INSTANCE_DIGITS, instance);

    const char *at = name;
    if (strlen(name) >= SINK_NAME_SIZE || !skip(&at, digits, 1, 20) || !skip_text(&at, mark) ||
        !skip_owner(&at, owner) || !skip(&at, hexadecimal, 16, 16) || !skip_text(&at, "."))
        return false;
    size_t host = strcspn(at, "/:,");
    at += host;
    if (host == 0 || *at == '\0')
        return host > 0;
    return skip_text(&at, ",S=") && skip(&at, digits, 1, 20) && *at == '\0';
}

uint64_t maildir_name_number(const char *name)
{
    uint64_t number = 0;
    int length = 0;
    if (sscanf(name, "%*20[0-9].%*12[0-9a-f]b%*20[0-9]r%16" SCNx64 ".%n", &number, &length) != 1 ||
        length == 0)
        return 0;
    return number;
}

size_t maildir_name_spool_length(const char *name)
{
    return strcspn(name, ",");
}
