/* exsync-submit: sendmail's command line in front of exsyncd's outbox.
 *
 * It works whether or not the daemon runs, and says yes (exit 0) only when the message is on the
 * disk. It is setgid exsync-submit, so that everybody can put a file into the outbox, and nothing
 * more: the environment is emptied before anything reads it, where the outbox is can be said on the
 * command line only by those who have no right from us, and of the message no more than the header
 * is ever in memory. Exit codes are those of sysexits.h. */
#include "base/buffer.h"
#include "mail/address.h"
#include "mail/header.h"
#include "tools/exsync_submit_file.h"
#include "tools/exsync_submit_header.h"
#include "tools/exsync_submit_input.h"
#include "tools/exsync_submit_options.h"
#include "tools/exsync_submit_policy.h"
#include "tools/exsync_submit_sender.h"
#include "tools/exsync_submit_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef EXSYNC_STATE_DIRECTORY
#define EXSYNC_STATE_DIRECTORY "/var/lib/exsyncd"
#endif

/* All that belongs to one message. */
struct submission {
    struct submit_options options;
    struct submit_policy policy;
    struct submit_stop stop;
    struct submit_outbox outbox;
    struct submit_input input;
    struct submit_file file;
    struct address_list given;
    struct buffer head;   /* what was read of the message until its header was complete */
    struct buffer header; /* as it goes into the outbox */
    bool something;       /* came: a field, or more than blanks and line ends */
    struct submit_problem problem;
};

/* --- the way of a message --- */

static int read_given(struct submission *submission)
{
    const struct submit_options *options = &submission->options;
    for (size_t i = 0; i < options->recipient_count; i++) {
        if (!submit_address_read(&submission->given, options->recipients[i]))
            return submit_problem_set(&submission->problem, EX_USAGE,
                                      "%.200s is no address; write USER@DOMAIN",
                                      options->recipients[i]);
    }
    return EX_OK;
}

/* EX_OK also when a signal came: the caller looks. */
static int read_on(struct submission *submission, struct buffer *buffer, size_t length)
{
    int error = submit_input_fill(&submission->input, buffer, length);
    if (error == 0)
        return EX_OK;
    if (error == EBADF || error == EISDIR)
        return submit_problem_set(&submission->problem, EX_NOINPUT,
                                  "there is no message on standard input; call it with < FILE or "
                                  "behind a pipe");
    return submit_problem_set(&submission->problem, EX_IOERR,
                              "cannot read the message: %s; look at where it comes from",
                              strerror(error));
}

/* Reads until the header is complete. EX_OK also when a signal came. */
static int read_header(struct submission *submission, struct submit_extent *extent)
{
    struct buffer *head = &submission->head;
    bool found = false, first = true;
    while (!found && head->length <= HEADER_SIZE_MAX) {
        if (read_on(submission, head, head->length + SUBMIT_INPUT_CHUNK) != EX_OK ||
            submission->stop.signal != 0)
            return submission->problem.status;
        if (first)
            buffer_consume(head, submit_input_mbox_line(head));
        first = false;
        found =
            submit_header_find(buffer_string(head), head->length, submission->input.ended, extent);
    }
    if (found && extent->fields <= HEADER_SIZE_MAX)
        return EX_OK;
    return submit_problem_set(&submission->problem, EX_DATAERR,
                              "the header is longer than %d KB; shorten it",
                              HEADER_SIZE_MAX / 1024);
}

static bool is_blank(const struct buffer *bytes)
{
    for (size_t i = 0; i < bytes->length; i++) {
        if (strchr(" \t\r\n", bytes->data[i]) == NULL || bytes->data[i] == '\0')
            return false;
    }
    return true;
}

/* Whoever calls this without a message has lost it: a pipe that broke, a file that was not written.
 */
static int check_something(struct submission *submission)
{
    if (submission->something)
        return EX_OK;
    return submit_problem_set(&submission->problem, EX_DATAERR,
                              "the message is empty; look at what should have written it, or give "
                              "it a header, \"Subject: ...\" say, if it is to have no text");
}

static int take_header(struct submission *submission, size_t *body)
{
    struct submit_extent extent = {0};
    if (read_header(submission, &extent) != EX_OK || submission->stop.signal != 0)
        return submission->problem.status;
    *body = extent.body;
    submission->something = extent.fields > 0 || !is_blank(&submission->head);
    if (submission->input.ended && check_something(submission) != EX_OK)
        return submission->problem.status;
    return submit_header_write(buffer_string(&submission->head), extent.fields,
                               &submission->options, &submission->given, &submission->policy,
                               &submission->header, &submission->problem);
}

/* Copies what follows the header. */
static int take_body(struct submission *submission, size_t body)
{
    struct buffer *chunk = &submission->head;
    buffer_consume(chunk, body);
    for (;;) {
        submission->something = submission->something || !is_blank(chunk);
        if (submit_file_write(&submission->file, buffer_string(chunk), chunk->length,
                              &submission->problem) != EX_OK)
            return submission->problem.status;
        if (submission->input.ended)
            return EX_OK;
        buffer_clear(chunk);
        if (read_on(submission, chunk, SUBMIT_INPUT_CHUNK) != EX_OK || submission->stop.signal != 0)
            return submission->problem.status;
    }
}

static int take_file(struct submission *submission, size_t body)
{
    int status = submit_file_begin(&submission->file, &submission->outbox, &submission->policy,
                                   &submission->problem);
    if (status == EX_OK)
        status = submit_file_write(&submission->file, submission->header.data,
                                   submission->header.length, &submission->problem);
    if (status == EX_OK)
        status = take_body(submission, body);
    if (status == EX_OK && submission->stop.signal == 0)
        status = check_something(submission);
    /* The last moment to give up: behind it the message counts as sent. */
    if (status == EX_OK && !submit_stop_asked(&submission->stop))
        return submit_file_publish(&submission->file, &submission->problem);
    submit_file_discard(&submission->file);
    return status;
}

static int take(struct submission *submission, const char *state_directory)
{
    size_t body = 0;
    int status = submit_outbox_open(&submission->outbox, state_directory, &submission->problem);
    if (status == EX_OK)
        status = submit_policy_read(&submission->policy, submission->outbox.folder,
                                    &submission->problem);
    if (status == EX_OK)
        status = read_given(submission);
    if (status == EX_OK)
        status = take_header(submission, &body);
    if (status == EX_OK && submission->stop.signal == 0)
        status = take_file(submission, body);
    submit_outbox_close(&submission->outbox);
    address_list_release(&submission->given);
    buffer_release(&submission->head);
    buffer_release(&submission->header);
    return status;
}

/* --- the process --- */

/* A file of ours must not become the standard error of somebody who has closed theirs. Reading from
 * a descriptor that is open for writing alone fails as reading from none does. */
static void open_standard_descriptors(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_WRONLY) != descriptor)
            _exit(EX_OSERR);
    }
}

static bool has_rights_of_ours(void)
{
    return getauxval(AT_SECURE) != 0 || getegid() != getgid() || geteuid() != getuid();
}

static int run(struct submission *submission)
{
    const char *state_directory = submission->options.state_directory;
    if (state_directory != NULL && has_rights_of_ours())
        return submit_problem_set(&submission->problem, EX_USAGE,
                                  "--state-directory is for tests of a program that is not setgid; "
                                  "leave it out");
    int error = submit_stop_begin(&submission->stop);
    if (error != 0)
        return submit_problem_set(&submission->problem, EX_OSERR,
                                  "cannot wait for signals: %s; "
                                  "try again",
                                  strerror(error));
    submission->input = (struct submit_input){
        .descriptor = STDIN_FILENO,
        .stop = &submission->stop,
        .dots_are_text = submission->options.dots_are_text,
    };
    return take(submission, state_directory != NULL ? state_directory : EXSYNC_STATE_DIRECTORY);
}

int main(int argc, char **argv)
{
    struct submission submission = {.file.descriptor = -1};
    open_standard_descriptors();
    clearenv();
    umask(027);
    int status = submit_options_read(&submission.options, argc, argv, &submission.problem);
    if (status == EX_OK && submission.options.task == SUBMIT_TASK_HELP)
        fputs(submit_options_help, stdout);
    else if (status == EX_OK && submission.options.task == SUBMIT_TASK_VERSION)
        puts("exsync-submit " EXSYNC_VERSION);
    else if (status == EX_OK && submission.options.task == SUBMIT_TASK_TAKE)
        status = run(&submission);
    if (status != EX_OK)
        submit_problem_tell(&submission.problem);
    else if (submission.stop.signal != 0) /* nothing was taken in */
        submit_stop_follow(&submission.stop);
    return status;
}
