#include "mail/outbox_private.h"

#include "base/memory.h"
#include "mail/header.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 64 * 1024 };

/* --- opening --- */

/* Nothing that may hang or do something when it is opened is opened: intake/ is ours alone, so what
 * was looked at is what will be opened. */
static const char *problem_of_kind(const struct stat *status)
{
    if (S_ISLNK(status->st_mode))
        return "The file is a symbolic link; only regular files are taken.";
    if (!S_ISREG(status->st_mode))
        return "It is not a regular file.";
    if (status->st_nlink != 1)
        return "The file has several hard links, so it may belong to somebody else.";
    return NULL;
}

static bool source_open(struct outbox_source *source, const struct outbox *outbox, int intake,
                        const char *id)
{
    if (fstatat(intake, id, &source->status, AT_SYMLINK_NOFOLLOW) < 0) {
        source->failure = outbox_failure(outbox, errno, "look at", OUTBOX_INTAKE, id);
        source->failure.gone = errno == ENOENT;
        return false;
    }
    source->problem = problem_of_kind(&source->status);
    if (source->problem != NULL)
        return false;
    source->fd = openat(intake, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (source->fd < 0 && (errno == EACCES || errno == EPERM))
        source->problem =
            "The daemon may not read the file; the group " OUTBOX_GROUP " must be able to.";
    else if (source->fd < 0 && errno == EWOULDBLOCK)
        source->problem = "Another program holds the file (a lease); it must let it go first.";
    else if (source->fd < 0 || fstat(source->fd, &source->status) < 0)
        source->failure = outbox_failure(outbox, errno, "open", OUTBOX_INTAKE, id);
    else
        source->problem = problem_of_kind(&source->status);
    return source->problem == NULL && !failure_is_set(&source->failure);
}

bool outbox_source_open(struct outbox_source *source, struct outbox_batch *batch, const char *id)
{
    *source = (struct outbox_source){.fd = -1, .batch = batch};
    int intake = outbox_batch_folder(batch, OUTBOX_INTAKE, &source->failure);
    if (intake < 0)
        return false;
    bool opened = source_open(source, batch->work.outbox, intake, id);
    source->left = opened ? (uint64_t)source->status.st_size : 0;
    return opened;
}

void outbox_source_close(struct outbox_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

/* --- reading --- */

/* Fills the block as far as the file goes; what it has grown by since does not count. */
static size_t read_block(struct outbox_source *source)
{
    size_t wanted = source->left < BLOCK_SIZE ? (size_t)source->left : BLOCK_SIZE;
    size_t length = 0;
    while (length < wanted) {
        ssize_t got = read(source->fd, source->batch->raw + length, wanted - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            source->failure =
                failure_from_errno(FAILURE_SCOPE_SERVER, "submit", errno, "read a submitted file");
        else if (got == 0)
            source->problem = "The file was cut short while it was read.";
        if (got <= 0)
            return 0;
        length += (size_t)got;
    }
    if (memchr(source->batch->raw, '\0', length) != NULL) {
        source->problem = "It has NUL bytes, which no message can have.";
        return 0;
    }
    source->left -= length;
    return length;
}

/* The line that programs put before a message in an mbox is no header field; "From : anna" is. */
static bool begins_mbox(const char *text, size_t length)
{
    static const char mark[] = "From ";
    if (length < sizeof mark - 1 || memcmp(text, mark, sizeof mark - 1) != 0)
        return false;
    size_t next = sizeof mark - 1;
    while (next < length && (text[next] == ' ' || text[next] == '\t'))
        next++;
    return next == length || text[next] != ':';
}

/* Takes the mbox line off what was appended from `start` on. */
static void drop_mbox_line(struct outbox_source *source, struct buffer *text, size_t start)
{
    const char *newline =
        text->length > start ? memchr(text->data + start, '\n', text->length - start) : NULL;
    size_t behind = newline != NULL ? (size_t)(newline + 1 - text->data) : text->length;
    memmove(text->data + start, text->data + behind, text->length - behind);
    text->length -= behind - start;
    text->data[text->length] = '\0';
    source->in_mbox_line = newline == NULL;
}

static void take_block(struct outbox_source *source, size_t length, struct buffer *text)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, from editors */
    const char *bytes = source->batch->raw;
    size_t start = text->length;
    if (!source->begun && length >= sizeof mark - 1 && memcmp(bytes, mark, sizeof mark - 1) == 0) {
        bytes += sizeof mark - 1;
        length -= sizeof mark - 1;
    }
    if (!source->begun)
        source->in_mbox_line = begins_mbox(bytes, length);
    source->begun = true;
    buffer_reserve(text, 2 * length);
    text->length += line_endings_to_crlf(&source->line_endings, bytes, length, text->data + start);
    text->data[text->length] = '\0';
    if (source->in_mbox_line)
        drop_mbox_line(source, text, start);
    if (text->length > start)
        source->last = text->data[text->length - 1];
}

bool outbox_source_read(struct outbox_source *source, struct buffer *text)
{
    if (source->problem != NULL || failure_is_set(&source->failure) || source->ended)
        return false;
    if (source->left == 0) {
        source->ended = true;
        if (source->last == '\0' || source->last == '\n')
            return false;
        buffer_append_string(text, "\r\n");
        return true;
    }
    if (source->batch->raw == NULL)
        source->batch->raw = memory_resize(NULL, BLOCK_SIZE);
    size_t length = read_block(source);
    if (length > 0)
        take_block(source, length, text);
    return length > 0;
}

static const char *problem_of_header(const struct buffer *text, size_t length)
{
    struct header_field field;
    size_t offset = 0;
    if (text->length == 0)
        return "It is empty.";
    if (length == 0 || length > HEADER_SIZE_MAX)
        return "Its header is larger than 256 KB.";
    if (!header_next(text->data, length, &offset, &field) || field.name_length == 0)
        return "It is no message: it does not begin with a header.";
    return NULL;
}

bool outbox_source_header(struct outbox_source *source, struct buffer *text, size_t *header_length)
{
    *header_length = 0;
    bool more = true;
    while (more && *header_length == 0 && text->length <= HEADER_SIZE_MAX) {
        more = outbox_source_read(source, text);
        *header_length = header_end(buffer_string(text), text->length, source->ended);
    }
    if (source->problem == NULL && !failure_is_set(&source->failure))
        source->problem = problem_of_header(text, *header_length);
    return source->problem == NULL && !failure_is_set(&source->failure);
}
