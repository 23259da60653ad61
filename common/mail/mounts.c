#include "mail/mounts.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 16384 };

struct mount {
    uint64_t id;
    uint64_t parent;
    char *point; /* within mounts->text */
    size_t length;
};

struct mounts {
    char *text;
    struct mount *mounts;
    size_t count;
};

/* --- reading --- */

/* Cuts the next word off; *at goes behind it, to NULL at the end. */
static char *next_word(char **at)
{
    char *word = *at;
    if (word == NULL)
        return NULL;
    *at = strchr(word, ' ');
    if (*at != NULL)
        *(*at)++ = '\0';
    return word;
}

static bool read_number(const char *word, uint64_t *number)
{
    *number = 0;
    if (word == NULL || *word == '\0' || strlen(word) > 18)
        return false;
    for (; *word >= '0' && *word <= '9'; word++)
        *number = *number * 10 + (uint64_t)(*word - '0');
    return *word == '\0';
}

static bool is_octal(const char *digits)
{
    return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' &&
           digits[2] >= '0' && digits[2] <= '7';
}

/* Blanks, tabs, line feeds and backslashes are written as \ooo. */
static void unescape(char *text)
{
    char *output = text;
    while (*text != '\0') {
        if (text[0] == '\\' && is_octal(text + 1)) {
            *output++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *output++ = *text++;
        }
    }
    *output = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool read_mount(char *line, struct mount *mount)
{
    if (!read_number(next_word(&line), &mount->id) ||
        !read_number(next_word(&line), &mount->parent))
        return false;
    next_word(&line); /* the device */
    next_word(&line); /* the root within it */
    mount->point = next_word(&line);
    if (mount->point == NULL || mount->point[0] != '/')
        return false;
    unescape(mount->point);
    mount->length = strlen(mount->point);
    return true;
}

struct mounts *mounts_parse(const char *text, size_t length)
{
    struct mounts *mounts = memory_allocate(sizeof *mounts);
    mounts->text = memory_allocate(length + 1);
    if (length > 0)
        memcpy(mounts->text, text, length);
    size_t lines = 1;
    for (const char *at = mounts->text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    mounts->mounts = memory_allocate_array(lines, sizeof *mounts->mounts);
    char *line = mounts->text;
    while (line != NULL) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (read_mount(line, &mounts->mounts[mounts->count]))
            mounts->count++;
        line = end;
    }
    return mounts;
}

struct mounts *mounts_read(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct buffer text = {0};
    ssize_t got;
    do {
        buffer_reserve(&text, READ_SIZE);
        got = read(fd, text.data + text.length, READ_SIZE);
        text.length += got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    struct mounts *mounts = got == 0 ? mounts_parse(text.data, text.length) : NULL;
    buffer_release(&text);
    close(fd);
    return mounts;
}

void mounts_free(struct mounts *mounts)
{
    if (mounts == NULL)
        return;
    memory_free(mounts->mounts);
    memory_free(mounts->text);
    memory_free(mounts);
}

/* --- asking --- */

static bool is_below(const struct mount *mount, const char *path)
{
    if (mount->length == 1)
        return path[0] == '/';
    return strncmp(path, mount->point, mount->length) == 0 &&
           (path[mount->length] == '/' || path[mount->length] == '\0');
}

static bool has_parent(const struct mounts *mounts, const struct mount *mount)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->mounts[i].id == mount->parent && &mounts->mounts[i] != mount)
            return true;
    }
    return false;
}

/* `parent` NULL: whether the mount lies on none that is listed. */
static bool lies_on(const struct mounts *mounts, const struct mount *mount,
                    const struct mount *parent)
{
    if (parent == NULL)
        return !has_parent(mounts, mount);
    return mount != parent && mount->parent == parent->id && mount->length >= parent->length;
}

/* Of the mounts that lie on `parent` the first that the path comes to. */
static const struct mount *next_mount(const struct mounts *mounts, const struct mount *parent,
                                      const char *path)
{
    const struct mount *next = NULL;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount *mount = &mounts->mounts[i];
        if (is_below(mount, path) && (next == NULL || mount->length < next->length) &&
            lies_on(mounts, mount, parent))
            next = mount;
    }
    return next;
}

/* The path is walked from mount to mount, as the kernel does: one that is hidden under another is
 * not found, though it may be the longest that fits. */
const char *mounts_find(const struct mounts *mounts, const char *path)
{
    const struct mount *found = NULL;
    const struct mount *next = next_mount(mounts, NULL, path);
    for (size_t steps = 0; next != NULL && steps <= mounts->count; steps++) {
        found = next;
        next = next_mount(mounts, found, path);
    }
    return found != NULL ? found->point : "/";
}

const char *mounts_find_id(const struct mounts *mounts, uint64_t id)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->mounts[i].id == id)
            return mounts->mounts[i].point;
    }
    return NULL;
}
