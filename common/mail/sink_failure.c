#include "mail/sink_private.h"

#include "base/text.h"
#include "mail/file.h"

#include <errno.h>

static const char step[] = "deliver";

static struct failure failure_at(const char *directory, int error, const char *verb,
                                 const char *folder, const char *name)
{
    const struct file_place place = {FAILURE_SCOPE_MAILBOX, step, directory};
    struct failure failure = file_failure(&place, error, verb, folder, name);
    failure.divisible = error == EFBIG; /* this message is too large, others may not be */
    return failure;
}

struct failure sink_failure_path(int error, const char *verb, const char *path)
{
    return failure_at(path, error, verb, NULL, NULL);
}

struct failure sink_failure(const struct sink *sink, int error, const char *verb, const char *below)
{
    return failure_at(sink->path, error, verb, below[0] != '\0' ? below : NULL, NULL);
}

struct failure sink_failure_file(const struct sink *sink, int error, const char *verb,
                                 const char *folder, const char *name)
{
    return failure_at(sink->path, error, verb, folder, name);
}

struct failure sink_failure_marker(const struct sink *sink, size_t name_count)
{
    struct failure failure = {
        .category = FAILURE_STORAGE,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "The Maildir is not the one that was set up before.",
        .remedy = "Mount the file system that the Maildir is on. When the Maildir was moved, "
                  "move its folder exsyncd.spool along with it. When it was removed on purpose, "
                  "create the marker file again, empty and owned by the daemon's user.",
    };
    failure_set_step(&failure, step);
    failure_set_code(&failure, "MarkerMissing");
    if (name_count == 0)
        failure_format_text(&failure,
                            "the Maildir %s was set up before but its marker %s/%s is not there: "
                            "is the file system mounted?",
                            sink->path, SINK_SPOOL, SINK_MARKER);
    else
        failure_format_text(&failure,
                            "the Maildir %s should hold %zu unfinished %s but its marker %s/%s is "
                            "not there: is the file system mounted?",
                            sink->path, name_count, text_plural(name_count, "message", "messages"),
                            SINK_SPOOL, SINK_MARKER);
    return failure;
}
