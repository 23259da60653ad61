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
static int open_file(int folder, const char *path, struct stat *status)
{
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return -1;
    if (fstat(file, status) == 0 && S_ISREG(status->st_mode))
        return file;
    close(file);
    return -1;
}

/* NULL when it is none, or a symbolic link. */
static DIR *open_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return NULL;
    DIR *directory = fdopendir(folder);
    if (directory == NULL)
        close(folder);
    return directory;
}

/* --- one file --- */

/* The header, with nothing behind it; empty when it has no end. Closes the file. */
static void read_header(int file, struct buffer *header)
{
    char block[READ_SIZE];
    size_t end = 0;
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

static void search_file(struct mail_search *search, const char *folder, int directory,
                        const char *name)
{
    struct mail_search_match match = {.path = join(folder, name)};
    struct buffer header = {0};
    struct stat status;
    match.name = match.path + strlen(folder) + 1;
    read_header(open_file(directory, name, &status), &header);
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

static void note_progress(atomic_uint *progress)
{
    if (progress != NULL)
        atomic_fetch_add(progress, 1);
}

static bool has_name(const struct mail_search *search, const char *name)
{
    if (name[0] == '.')
        return false;
    return search->name == NULL || strncmp(name, search->name, strlen(search->name)) == 0;
}

static void list_newest(struct mail_search *search, DIR *directory, struct newest *newest)
{
    const struct dirent *entry;
    while (!stopped(search) && (entry = readdir(directory)) != NULL) {
        note_progress(search->progress);
        if (has_name(search, entry->d_name) && !newest_add(newest, entry->d_name))
            search->partly = true;
    }
}

void mail_search_folder(struct mail_search *search, const char *folder)
{
    DIR *directory = open_folder(folder);
    if (directory == NULL)
        return;
    struct newest *newest = memory_allocate(sizeof *newest);
    list_newest(search, directory, newest);
    for (size_t i = 0; i < newest->count; i++) {
        note_progress(search->progress);
        if (!stopped(search))
            search_file(search, folder, dirfd(directory), newest->names[i]);
        memory_free(newest->names[i]);
    }
    memory_free(newest);
    closedir(directory);
}

void mail_search_release(struct mail_search *search)
{
    for (size_t i = 0; i < search->count; i++)
        match_release(&search->matches[i]);
    search->count = 0;
}

/* --- one file that is known --- */

/* Closes the file. False: there is none. */
static bool read_found(int file, const struct stat *status, struct mail_search_file *found)
{
    struct buffer header = {0};
    struct mail_search_match match = {0};
    if (file < 0)
        return false;
    read_header(file, &header);
    read_fields(&header, &match);
    buffer_release(&header);
    *found = (struct mail_search_file){
        .message_id = match.message_id,
        .subject = match.subject,
        .size = (uint64_t)status->st_size,
        .owner = status->st_uid,
    };
    return true;
}

bool mail_search_file(const char *path, struct mail_search_file *found)
{
    struct stat status;
    return read_found(open_file(AT_FDCWD, path, &status), &status, found);
}

static char *find_number(const char *folder, uint64_t file, struct mail_search_file *found,
                         atomic_uint *progress)
{
    char *path = NULL;
    struct stat status;
    DIR *directory = open_folder(folder);
    if (directory == NULL)
        return NULL;
    const struct dirent *entry;
    while (path == NULL && (entry = readdir(directory)) != NULL) {
        note_progress(progress);
        if (maildir_name_number(entry->d_name) == file &&
            read_found(open_file(dirfd(directory), entry->d_name, &status), &status, found))
            path = join(folder, entry->d_name);
    }
    closedir(directory);
    return path;
}

char *mail_search_delivered(const char *maildir, uint64_t file, struct mail_search_file *result,
                            atomic_uint *progress)
{
    static const char *const folders[] = {"new", "cur"};
    char *found = NULL;
    for (size_t i = 0; file != 0 && found == NULL && i < 2; i++) {
        char *folder = join(maildir, folders[i]);
        found = find_number(folder, file, result, progress);
        memory_free(folder);
    }
    return found;
}

char *mail_search_first_line(const char *path)
{
    char bytes[LINE_SIZE], line[LINE_SIZE];
    struct stat status;
    int file = open_file(AT_FDCWD, path, &status);
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
