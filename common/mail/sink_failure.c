#include "mail/sink_private.h"

#include "base/buffer.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

enum { REASON_SIZE = 160 };

static const char step[] = "deliver";

void sink_failure_add(struct failure *failure, const char *hint)
{
    struct failure before = *failure;
    failure_format_text(failure, "%s; %s", before.text, hint);
}

struct failure sink_failure_path(int error, const char *verb, const char *path)
{
    /* A long path is cut, so that what the system says about it still has room. */
    char what[FAILURE_TEXT_SIZE - REASON_SIZE];
    snprintf(what, sizeof what, "%s %s", verb, path);
    struct failure failure = failure_from_errno(FAILURE_SCOPE_MAILBOX, step, error, what);
    failure.divisible = error == EFBIG; /* this message is too large, others may not be */
    if (error == EACCES || error == EPERM)
        sink_failure_add(&failure, "the daemon's user must be able to write there");
    return failure;
}

struct failure sink_failure(const struct sink *sink, int error, const char *verb, const char *below)
{
    return sink_failure_file(sink, error, verb, below, NULL);
}

struct failure sink_failure_file(const struct sink *sink, int error, const char *verb,
                                 const char *folder, const char *name)
{
    struct buffer path = {0};
    buffer_append_string(&path, sink->path);
    if (folder[0] != '\0')
        buffer_append_format(&path, "/%s", folder);
    if (name != NULL)
        buffer_append_format(&path, "/%s", name);
    struct failure failure = sink_failure_path(error, verb, buffer_string(&path));
    buffer_release(&path);
    return failure;
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
