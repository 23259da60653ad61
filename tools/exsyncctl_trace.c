/* trace: where is this mail? */
#include "base/buffer.h"
#include "mail/header.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { READ_SIZE = 16 * 1024, UUID_LENGTH = 36 };

/* --- what is asked for --- */

static bool is_uuid(const char *text, size_t length)
{
    if (length != UUID_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : strchr("0123456789abcdef", text[i]) == NULL)
            return false;
    }
    return true;
}

static bool is_file(const char *text)
{
    struct stat status;
    return stat(text, &status) == 0 && S_ISREG(status.st_mode);
}

/* Reads until the header is complete; returns 0 or an errno. */
static int read_header(const char *path, struct buffer *header)
{
    char block[READ_SIZE];
    ssize_t length = 1;
    size_t end = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    while (end == 0 && length > 0 && header->length < HEADER_SIZE_MAX) {
        length = read(file, block, sizeof block);
        if (length > 0)
            buffer_append(header, block, (size_t)length);
        end = header_end(buffer_string(header), header->length, length <= 0);
    }
    int error = length < 0 ? errno : 0;
    close(file);
    header->length = end;
    return error;
}

/* The Message-ID of a message's header; empty when there is none. */
static void find_message_id(struct buffer *header, struct buffer *message_id)
{
    struct header_field field;
    size_t offset = 0;
    while (message_id->length == 0 &&
           header_next(buffer_string(header), header->length, &offset, &field)) {
        if (header_field_is(&field, "Message-ID"))
            header_field_unfold(&field, message_id);
    }
}

/* False: it was told that it is no text. */
static bool ask_for_text(struct exsyncctl *tool, const char *member, const char *text,
                         json_t *request)
{
    if (json_object_set_new(request, member, json_string(text)) == 0)
        return true;
    exsyncctl_fail(tool, EX_USAGE, "what was given is no UTF-8 text");
    return false;
}

/* False: it was told why it cannot be asked for. */
static bool ask_for_file(struct exsyncctl *tool, const char *path, json_t *request)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    struct buffer header = {0}, message_id = {0};
    if (is_uuid(name, strcspn(name, "."))) {
        json_object_set_new(request, "message", json_stringn(name, UUID_LENGTH));
        return true;
    }
    int error = read_header(path, &header);
    find_message_id(&header, &message_id);
    bool asked = false;
    if (error != 0)
        exsyncctl_fail(tool, EX_NOINPUT, "%s cannot be read: %s", path, strerror(error));
    else if (message_id.length == 0)
        exsyncctl_fail(tool, EX_DATAERR, "%s has no Message-ID; ask for its subject with --subject",
                       path);
    else if (json_object_set_new(request, "message_id", json_string(message_id.data)) != 0)
        exsyncctl_fail(tool, EX_DATAERR,
                       "%s has a Message-ID that is no UTF-8 text; ask for its subject with "
                       "--subject",
                       path);
    else
        asked = true;
    buffer_release(&header);
    buffer_release(&message_id);
    return asked;
}

/* A path, or the name of a file of mail; a Message-ID may hold a slash, but not behind its @. */
static bool looks_like_file(const char *text)
{
    size_t length = strlen(text);
    const char *slash = strrchr(text, '/'), *at = strrchr(text, '@');
    if (length > 4 && strcmp(text + length - 4, ".eml") == 0)
        return true;
    return slash != NULL && (text[0] == '/' || text[0] == '.' || at == NULL || at < slash);
}

/* False, for ask_for. */
static bool tell_no_file(struct exsyncctl *tool, const char *path)
{
    struct stat status;
    int error = stat(path, &status) == 0 ? 0 : errno;
    if (error == 0 || error == ENOENT || error == ENOTDIR)
        exsyncctl_fail(tool, EX_NOINPUT, "no such file: %s; for a part of a subject add --subject",
                       path);
    else
        exsyncctl_fail(tool, error == EACCES ? EX_NOPERM : EX_NOINPUT, "%s cannot be read: %s",
                       path, strerror(error));
    return false;
}

static bool ask_for(struct exsyncctl *tool, const char *what, json_t *request)
{
    if (exsyncctl_flag(tool, "subject"))
        return ask_for_text(tool, "subject", what, request);
    if (is_file(what))
        return ask_for_file(tool, what, request);
    if (looks_like_file(what))
        return tell_no_file(tool, what);
    const char *member = is_uuid(what, strlen(what))                              ? "message"
                         : strchr(what, '@') != NULL && strchr(what, ' ') == NULL ? "message_id"
                                                                                  : "subject";
    return ask_for_text(tool, member, what, request);
}

/* --- what is told --- */

enum { NAME_WIDTH = 10, RECIPIENTS_TOLD = 20 };

static void tell(const struct exsyncctl *tool, enum output_colour colour, const char *name,
                 const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    output_print(tool, OUTPUT_FAINT, "  %-*s ", NAME_WIDTH, name);
    output_print(tool, colour, "%s\n", value);
}

static void tell_time(const struct exsyncctl *tool, const char *name, const json_t *answer,
                      const char *member)
{
    const char *time = output_text(answer, member);
    char when[OUTPUT_TIME_SIZE], since[OUTPUT_TIME_SIZE], both[2 * OUTPUT_TIME_SIZE + 4];
    if (time == NULL)
        return;
    output_time(when, time);
    output_since(since, time);
    snprintf(both, sizeof both, "%s (%s)", when, since);
    tell(tool, OUTPUT_PLAIN, name, both);
}

static void tell_failure(const struct exsyncctl *tool, const json_t *answer)
{
    const json_t *failure = json_object_get(answer, "failure");
    struct buffer text = {0};
    if (!json_is_object(failure))
        return;
    const char *words = output_text(failure, "text");
    buffer_append_format(&text, "%s: %s (%s)", output_words(failure, "step"),
                         output_words(failure, "sentence"), output_words(failure, "code"));
    if (words != NULL && words[0] != '\0')
        buffer_append_format(&text, ": \"%s\"", words);
    tell(tool, OUTPUT_BAD, "failure", text.data);
    buffer_clear(&text);
    char first[OUTPUT_TIME_SIZE], last[OUTPUT_TIME_SIZE];
    output_time(first, output_text(failure, "first_seen"));
    output_time(last, output_text(failure, "last_seen"));
    buffer_append_format(&text, "%lld %s, first %s, last %s",
                         (long long)output_number(failure, "count"),
                         output_number(failure, "count") == 1 ? "time" : "times", first, last);
    tell(tool, OUTPUT_PLAIN, "met", text.data);
    tell(tool, OUTPUT_PLAIN, "remedy", output_text(failure, "remedy"));
    tell(tool, OUTPUT_PLAIN, "activity", output_text(failure, "activity"));
    buffer_release(&text);
}

static void tell_next(const struct exsyncctl *tool, const json_t *answer)
{
    tell(tool, OUTPUT_WARNING, "next", output_text(answer, "next"));
    tell_time(tool, "next try", answer, "next_try");
}

static enum output_colour state_colour(const char *state)
{
    if (strcmp(state, "delivered") == 0 || strcmp(state, "sent") == 0)
        return OUTPUT_GOOD;
    return strcmp(state, "failed") == 0 || strcmp(state, "refused") == 0 ? OUTPUT_BAD
                                                                         : OUTPUT_WARNING;
}

/* "incoming to ann@example.com (Contoso): delivered" */
static void tell_title(const struct exsyncctl *tool, const json_t *answer, const char *direction)
{
    const char *address = output_text(answer, "address"), *profile = output_text(answer, "profile");
    const char *state = output_text(answer, "state");
    state = state == NULL ? "" : state;
    output_print(tool, OUTPUT_STRONG, "%s", direction);
    if (address != NULL)
        output_print(tool, OUTPUT_STRONG, " %s", address);
    if (profile != NULL)
        output_print(tool, OUTPUT_PLAIN, " (profile %s)", profile);
    output_print(tool, OUTPUT_PLAIN, ": ");
    output_print(tool, state_colour(state), "%s\n", state);
    tell(tool, OUTPUT_PLAIN, "subject", output_text(answer, "subject"));
    tell(tool, OUTPUT_PLAIN, "message-id", output_text(answer, "message_id"));
}

static void tell_incoming(const struct exsyncctl *tool, const json_t *answer)
{
    const char *path = output_text(answer, "path"), *maildir = output_text(answer, "maildir");
    const char *state = output_text(answer, "state");
    bool delivered = state != NULL && strcmp(state, "delivered") == 0;
    tell_title(tool, answer, "incoming to");
    tell_time(tool, "received", answer, "received");
    tell_time(tool, "taken", answer, "taken");
    tell(tool, OUTPUT_PLAIN, "cycle", output_text(answer, "activity"));
    tell(tool, OUTPUT_PLAIN, "file", path);
    if (path == NULL && delivered && maildir != NULL) {
        struct buffer text = {0};
        buffer_append_format(&text,
                             output_true(answer, "looked_for")
                                 ? "not in %s any more: a program has taken or removed it"
                                 : "not looked for in %s",
                             maildir);
        tell(tool, OUTPUT_PLAIN, "file", text.data);
        buffer_release(&text);
    }
    tell_failure(tool, answer);
    tell_next(tool, answer);
}

/* Many are counted. */
static void tell_recipients(const struct exsyncctl *tool, const json_t *answer)
{
    size_t index;
    const json_t *recipient;
    int64_t more = output_number(answer, "recipient_count") - RECIPIENTS_TOLD;
    json_array_foreach(json_object_get(answer, "recipients"), index, recipient)
    {
        if (index >= RECIPIENTS_TOLD)
            break;
        const char *name = output_text(recipient, "name");
        struct buffer text = {0};
        buffer_append_format(&text, "%s %s%s%s", output_text(recipient, "kind"),
                             output_text(recipient, "address"), name == NULL ? "" : " ",
                             name == NULL ? "" : name);
        tell(tool, OUTPUT_PLAIN, index == 0 ? "recipients" : "", text.data);
        buffer_release(&text);
    }
    if (more > 0) {
        char rest[64];
        snprintf(rest, sizeof rest, "and %lld more", (long long)more);
        tell(tool, OUTPUT_FAINT, "", rest);
    }
}

static void tell_outgoing(const struct exsyncctl *tool, const json_t *answer)
{
    tell_title(tool, answer, output_text(answer, "address") == NULL ? "outgoing" : "outgoing from");
    tell_recipients(tool, answer);
    tell(tool, OUTPUT_PLAIN, "id", output_text(answer, "message"));
    tell_time(tool, "submitted", answer, "submitted");
    tell_time(tool, "finished", answer, "finished");
    tell(tool, OUTPUT_PLAIN, "file", output_text(answer, "path"));
    tell(tool, OUTPUT_BAD, "reason", output_text(answer, "reason"));
    tell_failure(tool, answer);
    tell_next(tool, answer);
}

/* Off by its configuration and disabled by a person are not the same. */
static const char *why_unseen(const json_t *answer)
{
    const char *cause = output_text(json_object_get(answer, "hindrance"), "cause");
    if (cause != NULL && strcmp(cause, "off") == 0)
        return "receiving is off";
    return cause != NULL && strcmp(cause, "disabled") == 0 ? "receiving is disabled" : "not seen";
}

static void tell_unseen(const struct exsyncctl *tool, const json_t *answer)
{
    output_print(tool, OUTPUT_STRONG, "%s", output_text(answer, "address"));
    output_print(tool, OUTPUT_WARNING, ": %s\n", why_unseen(answer));
    tell_time(tool, "looked at", answer, "last_succeeded");
    tell_time(tool, "next", answer, "next_due");
    tell(tool, OUTPUT_BAD, "trouble", output_text(answer, "trouble"));
    tell(tool, OUTPUT_WARNING, "waits", output_text(json_object_get(answer, "hindrance"), "text"));
}

static void take(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *kind = output_text(answer, "kind");
    if (kind == NULL)
        return;
    if (strcmp(kind, "incoming") == 0)
        tell_incoming(tool, answer);
    else if (strcmp(kind, "outgoing") == 0)
        tell_outgoing(tool, answer);
    else if (strcmp(kind, "unseen") == 0)
        tell_unseen(tool, answer);
    else if (strcmp(kind, "searched") == 0 && output_text(answer, "unanswered") != NULL)
        exsyncctl_warn(tool,
                       "%s does not answer: it was not looked through, nor what comes behind it; "
                       "see to that file system",
                       output_text(answer, "unanswered"));
    else if (strcmp(kind, "searched") == 0 && !json_is_true(json_object_get(answer, "complete")))
        exsyncctl_warn(tool,
                       "there may be more: of each Maildir the newest files were read, %lld "
                       "in all; --mailbox looks at one mailbox alone",
                       (long long)output_number(answer, "files"));
}

static int run_trace(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    const char *address = exsyncctl_value(tool, "mailbox");
    json_t *request = json_pack("{s:s}", "command", "trace");
    bool asked = address == NULL || ask_for_text(tool, "address", address, request);
    if (asked && ask_for(tool, arguments[0], request))
        return exsyncctl_each(tool, request, take, NULL);
    json_decref(request);
    return tool->status;
}

static const struct exsyncctl_option trace_options[] = {
    {"mailbox", "ADDRESS", "look at this mailbox alone"},
    {"subject", NULL, "it is a part of the subject, whatever it looks like"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_trace_commands[] = {
    {"trace", "MESSAGE-ID|SUBJECT|FILE", "where a mail is, and what happens to it", trace_options,
     1, 1, run_trace},
    {NULL, NULL, NULL, NULL, 0, 0, NULL},
};
