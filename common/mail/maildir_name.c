#include "mail/maildir_name.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "mail/sink.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MARK_DIGITS = 2 * DIGEST_SIZE, MARK_SIZE = MARK_DIGITS + 2 };

/* Names may be anybody's: what comes later is no time at which one was made. */
static const int64_t LAST_SECOND = INT64_C(253402300799); /* of the year 9999 */

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

/* "m0123..." or "i0123..."; "" for none. */
static void mark_write(const struct maildir_mark *mark, char text[MARK_SIZE])
{
    text[0] = '\0';
    if (mark == NULL)
        return;
    text[0] = mark->is_fingerprint ? 'm' : 'i';
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        snprintf(text + 1 + 2 * i, 3, "%02x", mark->digest.bytes[i]);
}

char *maildir_name_create(const char *instance, uint64_t owner, const struct maildir_mark *mark,
                          const char *host)
{
    uint64_t number;
    random_bytes(&number, sizeof number);
    char name[SINK_NAME_SIZE], text[MARK_SIZE];
    mark_write(mark, text);
    int length = snprintf(name, sizeof name, "%" PRId64 ".%.*sb%" PRIu64 "r%016" PRIx64 "%s.%s",
                          clock_wall_ms() / 1000, MAILDIR_INSTANCE_DIGITS, instance, owner, number,
                          text, host);
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

static bool skip_mark(const char **at)
{
    if (**at != 'm' && **at != 'i')
        return true;
    ++*at;
    return skip(at, hexadecimal, MARK_DIGITS, MARK_DIGITS);
}

bool maildir_name_is_ours(const char *name, const char *instance, const uint64_t *owner)
{
    char mark[MAILDIR_INSTANCE_DIGITS + 3];
    snprintf(mark, sizeof mark, ".%.*sb", MAILDIR_INSTANCE_DIGITS, instance);

    const char *at = name;
    if (strlen(name) >= SINK_NAME_SIZE || !skip(&at, digits, 1, 20) || !skip_text(&at, mark) ||
        !skip_owner(&at, owner) || !skip(&at, hexadecimal, 16, 16) || !skip_mark(&at) ||
        !skip_text(&at, "."))
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
    if (sscanf(name, "%*20[0-9].%*12[0-9a-f]b%*20[0-9]r%16" SCNx64 "%n", &number, &length) != 1)
        return 0;
    const char *at = name + length;
    return skip_mark(&at) && *at == '.' ? number : 0;
}

static bool mark_read(const char *text, struct maildir_mark *mark)
{
    mark->is_fingerprint = text[0] == 'm';
    if (text[0] != 'm' && text[0] != 'i')
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        if (sscanf(text + 1 + 2 * i, "%2hhx", &mark->digest.bytes[i]) != 1)
            return false;
    }
    return true;
}

bool maildir_name_read(const char *name, const char *instance, struct maildir_name *parts)
{
    char own[SINK_NAME_SIZE];
    int length = 0;
    snprintf(own, sizeof own, "%.*s", (int)strcspn(name, ":,"), name);
    return maildir_name_is_ours(own, instance, NULL) &&
           sscanf(own, "%20" SCNd64 ".%*12[0-9a-f]b%20" SCNu64 "r%16" SCNx64 "%n", &parts->seconds,
                  &parts->owner, &parts->number, &length) == 3 &&
           parts->seconds <= LAST_SECOND && mark_read(own + length, &parts->mark);
}

void maildir_name_begin(const struct maildir_name *parts, const char *instance,
                        char begin[MAILDIR_BEGIN_SIZE])
{
    snprintf(begin, MAILDIR_BEGIN_SIZE, "%" PRId64 ".%.*sb%" PRIu64 "r%016" PRIx64, parts->seconds,
             MAILDIR_INSTANCE_DIGITS, instance, parts->owner, parts->number);
}

size_t maildir_name_spool_length(const char *name)
{
    return strcspn(name, ",");
}
