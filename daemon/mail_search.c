#define _GNU_SOURCE /* strcasestr */
#include "daemon/mail_search.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/message_id.h"
#include "base/text.h"
#include "mail/header.h"
#include "mail/maildir_name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 16 * 1024, LINE_SIZE = 1024 };

static char *join(const char *folder, const char *name)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s", folder, name);
    return buffer_take(&path);
}

/* Regular files only: a pipe in a Maildir would be waited for. */
static int open_file(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return -1;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        return file;
    close(file);
    return -1;
}

/* --- one file --- */

/* The header, with nothing behind it; empty when it has no end. */
static void read_header(const char *path, struct buffer *header)
{
    char block[READ_SIZE];
    size_t end = 0;
    int file = open_file(path);
    if (file < 0)
        return;
    while (end == 0 && header->length < HEADER_SIZE_MAX) {
        ssize_t length = read(file, block, sizeof block);
        if (length < 0 && errno == EINTR)
            continue;
        if (length > 0)
            buffer_append(header, block, (size_t)length);
        end = header_end(buffer_string(header), header->length, length <= 0);
        if (length <= 0)
            break;
    }
    close(file);
    header->length = end;
}

static char *take_text(struct buffer *text)
{
    char line[LINE_SIZE];
    text_copy_line(line, sizeof line, buffer_string(text), text->length);
    buffer_clear(text);
    return memory_copy_string(line);
}

static void read_fields(struct buffer *header, struct mail_search_match *match)
{
    struct header_field field;
    struct buffer text = {0};
    size_t offset = 0;
    while (header_next(buffer_string(header), header->length, &offset, &field)) {
        if (match->message_id == NULL && header_field_is(&field, "Message-ID")) {
            header_field_unfold(&field, &text);
            match->message_id = take_text(&text);
        } else if (match->subject == NULL && header_field_is(&field, "Subject")) {
            header_field_text(&field, &text);
            match->subject = take_text(&text);
        }
    }
    if (match->subject == NULL)
        match->subject = memory_copy_string("");
    buffer_release(&text);
}

static bool is_wanted(const struct mail_search *search, const struct mail_search_match *match)
{
    if (search->subject != NULL)
        return strcasestr(match->subject, search->subject) != NULL;
    if (search->message_id == NULL)
        return search->name != NULL;
    return match->message_id != NULL &&
           message_id_number(match->message_id, strlen(match->message_id)) ==
               message_id_number(search->message_id, strlen(search->message_id));
}

static void match_release(struct mail_search_match *match)
{
    memory_free(match->path);
    memory_free(match->message_id);
    memory_free(match->subject);
}

static void search_file(struct mail_search *search, const char *folder, const char *name)
{
    struct mail_search_match match = {.path = join(folder, name)};
    struct buffer header = {0};
    match.name = match.path + strlen(folder) + 1;
    read_header(match.path, &header);
    read_fields(&header, &match);
    buffer_release(&header);
    search->files++;
    if (!is_wanted(search, &match)) {
        match_release(&match);
    } else if (search->count == MAIL_SEARCH_FOUND) {
        search->partly = true;
        match_release(&match);
    } else {
        search->matches[search->count++] = match;
    }
}

/* --- folders --- */

/* The names of a folder's newest files: a heap with the oldest of them on top. */
struct newest {
    char *names[MAIL_SEARCH_NEWEST];
    size_t count;
};

/* Seconds have ten digits until the year 2286, and ids one length. */
static bool is_older(const char *a, const char *b)
{
    return strcmp(a, b) < 0;
}

static void sink_down(struct newest *newest, size_t at)
{
    for (;;) {
        size_t oldest = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < newest->count; child++) {
            if (is_older(newest->names[child], newest->names[oldest]))
                oldest = child;
        }
        if (oldest == at)
            return;
        char *name = newest->names[at];
        newest->names[at] = newest->names[oldest];
        newest->names[oldest] = name;
        at = oldest;
    }
}

/* False when a file was left out. */
static bool newest_add(struct newest *newest, const char *name)
{
    if (newest->count < MAIL_SEARCH_NEWEST) {
        newest->names[newest->count++] = memory_copy_string(name);
        for (size_t i = newest->count; newest->count == MAIL_SEARCH_NEWEST && i > 0; i--)
            sink_down(newest, i - 1);
        return true;
    }
    if (is_older(newest->names[0], name)) {
        memory_free(newest->names[0]);
        newest->names[0] = memory_copy_string(name);
        sink_down(newest, 0);
    }
    return false;
}

static bool stopped(const struct mail_search *search)
{
    return search->stop != NULL && atomic_load(search->stop);
}

static bool has_name(const struct mail_search *search, const char *name)
{
    if (name[0] == '.')
        return false;
    return search->name == NULL || strncmp(name, search->name, strlen(search->name)) == 0;
}

static void list_newest(struct mail_search *search, const char *folder, struct newest *newest)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return;
    const struct dirent *entry;
    while (!stopped(search) && (entry = readdir(directory)) != NULL) {
        if (has_name(search, entry->d_name) && !newest_add(newest, entry->d_name))
            search->partly = true;
    }
    closedir(directory);
}

void mail_search_folder(struct mail_search *search, const char *folder)
{
    struct newest *newest = memory_allocate(sizeof *newest);
    list_newest(search, folder, newest);
    for (size_t i = 0; i < newest->count; i++) {
        if (!stopped(search))
            search_file(search, folder, newest->names[i]);
        memory_free(newest->names[i]);
    }
    memory_free(newest);
}

void mail_search_release(struct mail_search *search)
{
    for (size_t i = 0; i < search->count; i++)
        match_release(&search->matches[i]);
    search->count = 0;
}

/* --- one file that is known --- */

static char *find_number(const char *folder, uint64_t file)
{
    char *path = NULL;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return NULL;
    const struct dirent *entry;
    while (path == NULL && (entry = readdir(directory)) != NULL) {
        if (maildir_name_number(entry->d_name) == file)
            path = join(folder, entry->d_name);
    }
    closedir(directory);
    return path;
}

char *mail_search_delivered(const char *maildir, uint64_t file)
{
    static const char *const folders[] = {"new", "cur"};
    char *found = NULL;
    for (size_t i = 0; file != 0 && found == NULL && i < 2; i++) {
        char *folder = join(maildir, folders[i]);
        found = find_number(folder, file);
        memory_free(folder);
    }
    return found;
}

char *mail_search_first_line(const char *path)
{
    char bytes[LINE_SIZE], line[LINE_SIZE];
    int file = open_file(path);
    if (file < 0)
        return NULL;
    ssize_t length = read(file, bytes, sizeof bytes);
    close(file);
    if (length <= 0)
        return NULL;
    const char *end = memchr(bytes, '\n', (size_t)length);
    text_copy_line(line, sizeof line, bytes, end == NULL ? (size_t)length : (size_t)(end - bytes));
    return memory_copy_string(line);
}
