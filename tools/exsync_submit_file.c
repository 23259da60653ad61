#define _GNU_SOURCE /* O_PATH, syncfs */
#include "tools/exsync_submit_file.h"

#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_FOLDER = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, NAME_ATTEMPTS = 10 };

/* One sentence for each kind of error; `where` is a folder of the outbox. */
static int refused(const struct submit_outbox *outbox, const char *where, int error,
                   struct submit_problem *problem)
{
    const char *state = outbox->state_directory;
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return submit_problem_set(problem, EX_CANTCREAT,
                                  "there is no folder %s/outbox%s; start exsyncd with a mailbox "
                                  "that has outgoing = yes: it makes it",
                                  state, where);
    case EACCES:
    case EPERM:
        return submit_problem_set(
            problem, EX_CANTCREAT,
            "not allowed to write to %s/outbox%s; exsync-submit must belong "
            "to the group exsync-submit and have mode 2755, and exsyncd, a "
            "member of it, must have been restarted since there is that group",
            state, where);
    case EROFS:
        return submit_problem_set(problem, EX_CANTCREAT,
                                  "%s/outbox%s is on a read-only file system; mount it writable",
                                  state, where);
    case ENOSPC:
    case EDQUOT:
        return submit_problem_set(problem, EX_TEMPFAIL,
                                  "no room in %s/outbox%s; make room and try again", state, where);
    case EFBIG:
        return submit_problem_set(problem, EX_UNAVAILABLE,
                                  "the message is larger than this process may write; raise its "
                                  "file size limit (ulimit -f)");
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EINTR:
        return submit_problem_set(problem, EX_TEMPFAIL,
                                  "cannot write to %s/outbox%s: %s; try again", state, where,
                                  strerror(error));
    default:
        return submit_problem_set(problem, EX_IOERR,
                                  "cannot write to %s/outbox%s: %s; check the disk", state, where,
                                  strerror(error));
    }
}

int submit_outbox_open(struct submit_outbox *outbox, const char *state_directory,
                       struct submit_problem *problem)
{
    int state = open(state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *where = "";
    *outbox = (struct submit_outbox){.state_directory = state_directory, -1, -1, -1};
    outbox->folder = state >= 0 ? openat(state, "outbox", OPEN_FOLDER) : -1;
    if (outbox->folder >= 0) {
        where = "/tmp";
        outbox->tmp = openat(outbox->folder, "tmp", OPEN_FOLDER);
    }
    if (outbox->tmp >= 0) {
        where = "/new";
        outbox->submitted = openat(outbox->folder, "new", OPEN_FOLDER);
    }
    int error = errno;
    if (state >= 0)
        close(state);
    return outbox->submitted >= 0 ? EX_OK : refused(outbox, where, error, problem);
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void submit_outbox_close(struct submit_outbox *outbox)
{
    close_descriptor(&outbox->submitted);
    close_descriptor(&outbox->tmp);
    close_descriptor(&outbox->folder);
}

static void make_name(char name[SUBMIT_FILE_NAME_SIZE])
{
    struct timespec now;
    uint64_t random[2];
    clock_gettime(CLOCK_REALTIME, &now);
    random_bytes(random, sizeof random);
    snprintf(name, SUBMIT_FILE_NAME_SIZE, "%lld.%06ld.%ld.%016" PRIx64 "%016" PRIx64,
             (long long)now.tv_sec, now.tv_nsec / 1000, (long)getpid(), random[0], random[1]);
}

/* Whether enough stays free when `length` more bytes are written and all of them copied. What
 * cannot be asked does not matter: a disk that is full says so itself. */
static int check_room(const struct submit_file *file, size_t length, struct submit_problem *problem)
{
    struct statvfs disk;
    uint64_t minimum = file->policy->min_free, needed = file->size + 2 * (uint64_t)length;
    if (minimum == 0 || fstatvfs(file->descriptor, &disk) != 0)
        return EX_OK;
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (available >= needed && available - needed >= minimum)
        return EX_OK;
    return submit_problem_set(problem, EX_TEMPFAIL,
                              "less than %" PRIu64 " MB would stay free on the disk of %s/outbox; "
                              "make room and try again, or lower outbox_min_free",
                              (minimum + 999999) / 1000000, file->outbox->state_directory);
}

int submit_file_begin(struct submit_file *file, const struct submit_outbox *outbox,
                      const struct submit_policy *policy, struct submit_problem *problem)
{
    *file = (struct submit_file){.outbox = outbox, .descriptor = -1, .policy = policy};
    for (int i = 0; i < NAME_ATTEMPTS && file->descriptor < 0; i++) {
        make_name(file->name);
        file->descriptor = openat(outbox->tmp, file->name,
                                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (file->descriptor < 0 && errno != EEXIST)
            break;
    }
    return file->descriptor >= 0 ? EX_OK : refused(outbox, "/tmp", errno, problem);
}

int submit_file_write(struct submit_file *file, const char *bytes, size_t length,
                      struct submit_problem *problem)
{
    uint64_t most = file->policy->max_message_size;
    if (most != 0 && length > most - file->size)
        return submit_problem_set(problem, EX_UNAVAILABLE,
                                  "the message is larger than the %" PRIu64 " bytes that are "
                                  "allowed; send less, or raise max_submission_size",
                                  most);
    if (check_room(file, length, problem) != EX_OK)
        return problem->status;
    while (length > 0) {
        ssize_t written = write(file->descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return refused(file->outbox, "/tmp", errno, problem);
        bytes += written;
        length -= (size_t)written;
        file->size += (uint64_t)written;
    }
    return EX_OK;
}

/* Returns 0 or an errno. */
static int sync_rename(const struct submit_file *file)
{
    int folder = openat(file->outbox->submitted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = 0;
    if (folder < 0)
        return syncfs(file->descriptor) != 0 ? errno : 0;
    if (fsync(folder) != 0)
        error = errno;
    close(folder);
    return error;
}

/* The message is in new/, but perhaps not on the disk: it is taken back. When it is gone, the
 * daemon has it, and has made its own copy safe. */
static int take_back(struct submit_file *file, int error, struct submit_problem *problem)
{
    bool gone = unlinkat(file->outbox->submitted, file->name, 0) != 0 && errno == ENOENT;
    return gone ? EX_OK : refused(file->outbox, "/new", error, problem);
}

int submit_file_publish(struct submit_file *file, struct submit_problem *problem)
{
    const struct submit_outbox *outbox = file->outbox;
    int status = EX_OK;
    if (fsync(file->descriptor) != 0) {
        status = refused(outbox, "/tmp", errno, problem);
    } else if (renameat(outbox->tmp, file->name, outbox->submitted, file->name) != 0) {
        status = refused(outbox, "/new", errno, problem);
    } else {
        int error = sync_rename(file);
        if (error != 0)
            status = take_back(file, error, problem);
        close_descriptor(&file->descriptor);
    }
    submit_file_discard(file);
    return status;
}

void submit_file_discard(struct submit_file *file)
{
    if (file->descriptor < 0)
        return;
    unlinkat(file->outbox->tmp, file->name, 0);
    close_descriptor(&file->descriptor);
}
