#define _GNU_SOURCE /* strerrorname_np, strerror_r as GNU has it */
#include "base/failure.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

bool failure_is_set(const struct failure *failure)
{
    return failure->category != FAILURE_NONE;
}

const char *failure_category_name(enum failure_category category)
{
    switch (category) {
    case FAILURE_NONE:
        return "none";
    case FAILURE_IMPERSONATION:
        return "impersonation";
    case FAILURE_AUTHENTICATION:
        return "authentication";
    case FAILURE_AUTHORIZATION:
        return "authorization";
    case FAILURE_THROTTLING:
        return "throttling";
    case FAILURE_MAILBOX:
        return "mailbox";
    case FAILURE_ITEM:
        return "item";
    case FAILURE_NETWORK:
        return "network";
    case FAILURE_TLS:
        return "tls";
    case FAILURE_PROTOCOL:
        return "protocol";
    case FAILURE_CONFIGURATION:
        return "configuration";
    case FAILURE_SERVER:
        return "server";
    case FAILURE_STORAGE:
        return "storage";
    case FAILURE_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

const char *failure_scope_name(enum failure_scope scope)
{
    switch (scope) {
    case FAILURE_SCOPE_NONE:
        return "none";
    case FAILURE_SCOPE_ITEM:
        return "item";
    case FAILURE_SCOPE_MAILBOX:
        return "mailbox";
    case FAILURE_SCOPE_PROFILE:
        return "profile";
    case FAILURE_SCOPE_SERVER:
        return "server";
    }
    return "unknown";
}

void failure_set_text(struct failure *failure, const char *text, uint64_t length)
{
    text_copy_line(failure->text, sizeof failure->text, text, (size_t)length);
}

void failure_format_text(struct failure *failure, const char *format, ...)
{
    /* Larger than the field: what cleaning takes away may make room for what follows. */
    char raw[4 * FAILURE_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    failure_set_text(failure, raw, written < 0 ? 0 : strlen(raw));
}

void failure_set_code(struct failure *failure, const char *code)
{
    text_copy_line(failure->code, sizeof failure->code, code, strlen(code));
}

void failure_set_step(struct failure *failure, const char *step)
{
    text_copy_line(failure->step, sizeof failure->step, step, strlen(step));
}

/* --- errno --- */

struct failure_words {
    int error; /* 0 ends the table and stands for all others */
    const char *sentence;
    const char *remedy;
};

static const char NO_PERMISSION[] = "The daemon has no permission to use a file or folder.";
static const char GIVE_PERMISSION[] =
    "Give the daemon's user access to it; the service sees nothing below /home unless a drop-in "
    "says so, which \"exsyncd --check-config\" prints.";
static const char MISSING[] = "A file or folder that is needed does not exist.";
static const char PUT_BACK[] =
    "Create it, or mount the file system that it is on; \"exsyncd --check-config\" names each "
    "folder "
    "that is missing, and prints the drop-in that the service needs for one outside "
    "/var/lib/exsyncd.";
static const char REMOTE_SILENT[] = "The file server does not answer.";
static const char CHECK_REMOTE[] = "Check the file server and the mount.";
static const char BUSY[] = "A file or folder is in use by something else.";
static const char TOO_MANY_FILES[] = "Too many files are open.";
static const char RAISE_LIMIT[] = "Raise LimitNOFILE= of the unit, or the system's fs.file-max.";

static const struct failure_words errno_words[] = {
    {ENOSPC, "The disk is full.", "Free space on the file system; the work then goes on."},
    {EDQUOT, "The disk quota is used up.", "Free space, or raise the quota of the daemon's user."},
    {EACCES, NO_PERMISSION, GIVE_PERMISSION},
    {EPERM, NO_PERMISSION, GIVE_PERMISSION},
    {EROFS, "The file system can only be read.",
     "Outside /var/lib/exsyncd the service may write only where a drop-in says so, which \"exsyncd "
     "--check-config\" prints; without the service, mount it writable. A file system that became "
     "read-only by itself has an error: see the kernel log."},
    {EIO, "The disk or the file system reports an error.",
     "See the kernel log, and check the disk and the file system."},
    {ENODEV, "The disk is gone.", "Check the disk and the mount."},
    {ENXIO, "The disk is gone.", "Check the disk and the mount."},
    {ENOENT, MISSING, PUT_BACK},
    {ENOTDIR, "Part of a path is a file where a folder is needed.",
     "Correct the path, or move the file away."},
    {EISDIR, "A folder is where a file is needed.", "Correct the path, or move the folder away."},
    {EEXIST, "A file or folder is there already.", "Move it away if it does not belong there."},
    {ENOTEMPTY, "A folder is not empty.", "Move away what does not belong there."},
    {ENAMETOOLONG, "A path is longer than the file system allows.", "Choose a shorter path."},
    {EILSEQ, "A name has characters that the file system does not allow.",
     "Choose another path, or mount the file system with UTF-8 names."},
    {ELOOP, "A path runs in a circle of symbolic links.", "Correct the links."},
    {EXDEV, "Two folders that must be on one file system are on different ones.",
     "Put the folders of one Maildir on one file system."},
    {EFBIG, "A file is larger than the system allows.",
     "Raise LimitFSIZE= of the unit, or use a file system that takes larger files."},
    {EMLINK, "A folder or file has as many links as the file system allows.",
     "Use a file system that allows more."},
    {EMFILE, TOO_MANY_FILES, RAISE_LIMIT},
    {ENFILE, TOO_MANY_FILES, RAISE_LIMIT},
    {ENOMEM, "The system has no memory left.", "Find out what uses the memory, or add some."},
    {ESTALE, "A file on the file server has been replaced.", CHECK_REMOTE},
    {ETIMEDOUT, REMOTE_SILENT, CHECK_REMOTE},
    {EHOSTDOWN, REMOTE_SILENT, CHECK_REMOTE},
    {ENOTCONN, REMOTE_SILENT, CHECK_REMOTE},
    {EBUSY, BUSY, ""},
    {EAGAIN, BUSY, ""},
    {ETXTBSY, BUSY, ""},
    {EINTR, "A system call was interrupted.", ""},
    {0, "The operating system refused an action.", "See the details of the failure."},
};

static const struct failure_words *failure_words_for(int error)
{
    const struct failure_words *words = errno_words;
    while (words->error != 0 && words->error != error)
        words++;
    return words;
}

struct failure failure_from_errno(enum failure_scope scope, const char *step, int error,
                                  const char *what)
{
    const struct failure_words *words = failure_words_for(error);
    struct failure failure = {
        .category = FAILURE_STORAGE,
        .scope = scope,
        .sentence = words->sentence,
        .remedy = words->remedy,
    };
    failure_set_step(&failure, step);

    const char *name = strerrorname_np(error);
    char number[FAILURE_CODE_SIZE];
    snprintf(number, sizeof number, "errno %d", error);
    failure_set_code(&failure, name != NULL ? name : number);

    char room[128];
    failure_format_text(&failure, "%s: %s", what, strerror_r(error, room, sizeof room));
    return failure;
}

struct failure failure_cancelled(void)
{
    struct failure failure = {
        .category = FAILURE_CANCELLED,
        .scope = FAILURE_SCOPE_NONE,
        .sentence = "The work was given up because the daemon stops or its configuration changed.",
        .remedy = "",
    };
    failure_set_code(&failure, "cancelled");
    return failure;
}
