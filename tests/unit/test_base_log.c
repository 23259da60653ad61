#define _GNU_SOURCE /* F_SETPIPE_SZ, asprintf */
#include "base/buffer.h"
#include "base/log_private.h"
#include "base/memory.h"
#include "tests/unit/base_capture.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

/* --- a journal of our own: stands before libsystemd's function --- */

static struct buffer journal_entries; /* "FIELD=value|" ... "\n"; written by the log's thread */
static int journal_result;

int sd_journal_sendv(const struct iovec *fields, int count)
{
    if (journal_result < 0)
        return journal_result;
    for (int i = 0; i < count; i++) {
        buffer_append(&journal_entries, fields[i].iov_base, fields[i].iov_len);
        buffer_append_char(&journal_entries, '|');
    }
    buffer_append_char(&journal_entries, '\n');
    return 0;
}

static const struct log_fields all_fields = {
    .message_id = "0123456789abcdef0123456789abcdef",
    .profile = "office",
    .mailbox = "a@example.com",
    .direction = "incoming",
    .step = "FindItem",
    .activity = "6f0c2c1e-0000-4000-8000-000000000000",
    .code = "ErrorServerBusy",
    .account = "CONTOSO\\svc-sync",
    .alert = "7",
    .subject = "Offer",
    .cause = "The server is busy.",
    .remedy = "Get-ThrottlingPolicy\n\nNothing needs to be done.",
    .details = "ActivityId: 6f0c2c1e\n>Error : Busy.\n",
};

static void at_a_terminal_or_file_a_line_is_the_sentence_alone(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    log_write(log, LOG_PRIORITY_INFO, NULL, "%d messages delivered.", 3);
    log_write(log, LOG_PRIORITY_ERROR, &all_fields, "The disk is full.");
    log_free(log);
    char *text = capture_end(&capture);
    assert_string_equal(text, "3 messages delivered.\nThe disk is full.\n");
    memory_free(text);
}

static void in_the_journal_the_sentence_comes_with_its_fields(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_JOURNAL);
    log_write(log, LOG_PRIORITY_WARNING, &all_fields, "The server is busy.");
    log_write(log, LOG_PRIORITY_INFO, NULL, "Ready.");
    log_free(log);
    char *text = capture_end(&capture);
    assert_string_equal(text, "");
    memory_free(text);
    assert_string_equal(
        buffer_string(&journal_entries),
        "MESSAGE=The server is busy.|PRIORITY=4|SYSLOG_IDENTIFIER=test_base_log|"
        "MESSAGE_ID=0123456789abcdef0123456789abcdef|EXSYNC_PROFILE=office|"
        "EXSYNC_MAILBOX=a@example.com|EXSYNC_DIRECTION=incoming|EXSYNC_STEP=FindItem|"
        "EXSYNC_ACTIVITY=6f0c2c1e-0000-4000-8000-000000000000|EXSYNC_CODE=ErrorServerBusy|"
        "EXSYNC_ACCOUNT=CONTOSO\\svc-sync|EXSYNC_ALERT=7|EXSYNC_SUBJECT=Offer|"
        "EXSYNC_CAUSE=The server is busy.|"
        "EXSYNC_REMEDY=Get-ThrottlingPolicy\n\nNothing needs to be done.|"
        "EXSYNC_DETAILS=ActivityId: 6f0c2c1e\n>Error : Busy.\n|\n"
        "MESSAGE=Ready.|PRIORITY=6|SYSLOG_IDENTIFIER=test_base_log|\n");
    buffer_release(&journal_entries);
}

static void what_the_journal_refuses_goes_to_its_stream_with_the_priority(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    journal_result = -1;
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_JOURNAL);
    log_write(log, LOG_PRIORITY_WARNING, NULL, "The server is busy.");
    log_free(log);
    journal_result = 0;
    log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STREAM);
    log_write(log, LOG_PRIORITY_INFO, NULL, "Ready.");
    log_free(log);
    char *text = capture_end(&capture);
    assert_string_equal(text, "<4>The server is busy.\n<6>Ready.\n");
    memory_free(text);
    assert_string_equal(buffer_string(&journal_entries), "");
}

/* Writes one line with JOURNAL_STREAM set to `offset` beside standard error's own inode. */
static char *line_with_stream(unsigned long long offset)
{
    struct capture capture;
    capture_begin(&capture);
    struct stat status;
    fstat(STDERR_FILENO, &status);
    char stream[64];
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino + offset);
    setenv("JOURNAL_STREAM", stream, 1);
    struct log *log = log_create(LOG_PRIORITY_INFO);
    log_write(log, LOG_PRIORITY_INFO, NULL, "Ready.");
    log_free(log);
    unsetenv("JOURNAL_STREAM");
    return capture_end(&capture);
}

static void the_journal_is_used_only_when_standard_error_is_its_stream(void **state)
{
    (void)state;
    char *text = line_with_stream(1); /* inherited from a parent that redirected us elsewhere */
    assert_string_equal(text, "Ready.\n");
    memory_free(text);
    text = line_with_stream(0);
    if (access("/run/systemd/journal/socket", W_OK) == 0)
        assert_non_null(strstr(buffer_string(&journal_entries), "MESSAGE=Ready.|"));
    else
        assert_string_equal(text, "<6>Ready.\n");
    memory_free(text);
    buffer_release(&journal_entries);
}

static void messages_below_the_level_are_dropped_at_the_door(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    assert_true(log_enabled(log, LOG_PRIORITY_INFO));
    assert_false(log_enabled(log, LOG_PRIORITY_DEBUG));
    log_write(log, LOG_PRIORITY_DEBUG, NULL, "one");
    log_set_level(log, LOG_PRIORITY_DEBUG);
    log_write(log, LOG_PRIORITY_DEBUG, NULL, "two");
    log_set_level(log, LOG_PRIORITY_ERROR);
    log_write(log, LOG_PRIORITY_WARNING, NULL, "three");
    log_free(log);
    char *text = capture_end(&capture);
    assert_string_equal(text, "two\n");
    memory_free(text);
}

static void a_message_stays_one_line_of_clean_text(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    log_write(log, LOG_PRIORITY_INFO, NULL, "%s", "a\nfake line\x1b[2J \xff\u202ex");
    log_free(log);
    char *text = capture_end(&capture);
    assert_string_equal(text, "a fake line [2J ? x\n");
    memory_free(text);
}

static size_t length_of_field(const char *name)
{
    const char *field = strstr(buffer_string(&journal_entries), name);
    assert_non_null(field);
    return strcspn(field + strlen(name), "|");
}

static void fields_of_any_length_are_cut_not_overrun(void **state)
{
    (void)state;
    char *words = memory_allocate(10001);
    memset(words, 'w', 10000);
    const struct log_fields fields = {words, words, words, words, words, words, words,
                                      words, words, words, words, words, words};
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_JOURNAL);
    log_write(log, LOG_PRIORITY_INFO, &fields, "%s", words);
    log_free(log);
    assert_int_equal(length_of_field("MESSAGE="), LOG_LINE_SIZE - 1);
    assert_int_equal(length_of_field("|MESSAGE_ID="), LOG_FIELD_SIZE - 1);
    assert_int_equal(length_of_field("|EXSYNC_CODE="), LOG_FIELD_SIZE - 1);
    assert_int_equal(length_of_field("|EXSYNC_SUBJECT="), LOG_FIELD_SIZE - 1);
    assert_int_equal(length_of_field("|EXSYNC_CAUSE="), LOG_LONG_FIELD_SIZE - 1);
    assert_int_equal(length_of_field("|EXSYNC_REMEDY="), LOG_LONG_FIELD_SIZE - 1);
    assert_int_equal(length_of_field("|EXSYNC_DETAILS="), LOG_LONG_FIELD_SIZE - 1);
    buffer_release(&journal_entries);
    memory_free(words);
}

static void only_remedy_and_details_keep_their_lines(void **state)
{
    (void)state;
    const struct log_fields fields = {
        .subject = "a\nb", .cause = "a\nb", .remedy = "\na\r\n\tb\x1b\xff\n", .details = "\n\n"};
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_JOURNAL);
    log_write(log, LOG_PRIORITY_INFO, &fields, "a\nb");
    log_free(log);
    assert_string_equal(buffer_string(&journal_entries),
                        "MESSAGE=a b|PRIORITY=6|SYSLOG_IDENTIFIER=test_base_log|"
                        "EXSYNC_SUBJECT=a b|EXSYNC_CAUSE=a b|EXSYNC_REMEDY=\na \n b ?\n|"
                        "EXSYNC_DETAILS=\n\n|\n");
    buffer_release(&journal_entries);
}

static void long_lines_are_cut_at_a_character(void **state)
{
    (void)state;
    struct buffer lines = {0};
    while (lines.length < 2 * LOG_LONG_FIELD_SIZE)
        buffer_append_string(&lines, "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\n\n");
    for (int shift = 0; shift < 12; shift++) {
        const struct log_fields fields = {.remedy = lines.data + shift % 2 * 9,
                                          .details = lines.data + 10 - shift % 10 / 2 * 2};
        struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_JOURNAL);
        log_write(log, LOG_PRIORITY_INFO, &fields, "x");
        log_free(log);
        assert_in_range(length_of_field("|EXSYNC_REMEDY="), LOG_LONG_FIELD_SIZE - 2,
                        LOG_LONG_FIELD_SIZE - 1);
        assert_null(strchr(buffer_string(&journal_entries), '?'));
        const char *end = strstr(buffer_string(&journal_entries), "|EXSYNC_DETAILS=");
        assert_int_not_equal((unsigned char)end[-1], 0xc3); /* half a character */
        buffer_release(&journal_entries);
    }
    buffer_release(&lines);
}

static void on_standard_error_long_fields_are_not_shown(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    log_write(log, LOG_PRIORITY_ERROR, &all_fields, "The server is busy.");
    log_free(log);
    char *text = capture_end(&capture);
    assert_string_equal(text, "The server is busy.\n");
    memory_free(text);
}

enum { WRITERS = 4, LINES = 200 };

static void *write_lines(void *argument)
{
    struct log *log = argument;
    for (int i = 0; i < LINES; i++)
        log_write(log, LOG_PRIORITY_INFO, &all_fields, "line %d", i);
    return NULL;
}

static void lines_of_many_threads_all_come_out_whole(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, log), 0);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    log_free(log);
    char *text = capture_end(&capture);
    size_t lines = 0;
    for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_memory_equal(line, "line ", 5);
        lines++;
    }
    assert_int_equal(lines, WRITERS * LINES);
    memory_free(text);
}

/* --- standard error is a pipe that nobody empties --- */

struct stuck {
    int standard_error;
    int reading;
    pthread_t reader;
    struct buffer text;
};

static void stuck_begin(struct stuck *stuck)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(stderr);
    stuck->standard_error = dup(STDERR_FILENO);
    stuck->reading = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
}

static void stuck_end(struct stuck *stuck)
{
    dup2(stuck->standard_error, STDERR_FILENO);
    close(stuck->standard_error);
}

static void *stuck_read(void *argument)
{
    struct stuck *stuck = argument;
    char chunk[65536];
    ssize_t length;
    while ((length = read(stuck->reading, chunk, sizeof chunk)) > 0)
        buffer_append(&stuck->text, chunk, (size_t)length);
    return NULL;
}

/* Writes until far more has come than pipe and queue can hold. */
static size_t flood(struct log *log)
{
    size_t count = 3000;
    for (size_t i = 0; i < count; i++)
        log_write(log, LOG_PRIORITY_INFO, NULL, "flood %01000zu", i);
    return count;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    while ((text = strstr(text, word)) != NULL) {
        count++;
        text++;
    }
    return count;
}

/* The sum of what all lines about dropped messages say. */
static size_t dropped_as_told(const char *text)
{
    size_t dropped = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        unsigned long number;
        char word[16];
        if (sscanf(line, "%lu log message%*s %*s %15s", &number, word) == 2)
            dropped += number;
    }
    return dropped;
}

static void a_full_queue_drops_and_counts_info_but_keeps_errors(void **state)
{
    (void)state;
    struct stuck stuck = {0};
    stuck_begin(&stuck);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    size_t written = flood(log); /* comes back though nobody reads */
    for (int i = 0; i < 100; i++)
        log_write(log, LOG_PRIORITY_ERROR, NULL, "error %d", i);
    assert_int_equal(pthread_create(&stuck.reader, NULL, stuck_read, &stuck), 0);
    log_free(log);
    stuck_end(&stuck);
    pthread_join(stuck.reader, NULL);
    close(stuck.reading);

    const char *text = buffer_string(&stuck.text);
    assert_int_equal(count_of(text, "error "), 100);
    assert_int_equal(count_of(text, "flood ") + dropped_as_told(text), written);
    assert_true(dropped_as_told(text) > 0);
    buffer_release(&stuck.text);
}

static void errors_have_a_limit_as_well(void **state)
{
    (void)state;
    struct stuck stuck = {0};
    stuck_begin(&stuck);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    for (int i = 0; i < 3000; i++)
        log_write(log, LOG_PRIORITY_ERROR, NULL, "error %01000d", i);
    assert_int_equal(pthread_create(&stuck.reader, NULL, stuck_read, &stuck), 0);
    log_free(log);
    stuck_end(&stuck);
    pthread_join(stuck.reader, NULL);
    close(stuck.reading);
    size_t kept = count_of(buffer_string(&stuck.text), "error ");
    assert_int_equal(kept + dropped_as_told(buffer_string(&stuck.text)), 3000);
    assert_in_range(kept, 500, 1500);
    buffer_release(&stuck.text);
}

static void a_log_that_cannot_be_written_is_given_up_at_the_end(void **state)
{
    (void)state;
    struct stuck stuck = {0};
    stuck_begin(&stuck);
    struct log *log = log_create_for(LOG_PRIORITY_INFO, LOG_TARGET_STDERR);
    flood(log);
    log_free(log); /* comes back; the thread frees what is left when it can */
    stuck_end(&stuck);
    close(stuck.reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_a_terminal_or_file_a_line_is_the_sentence_alone),
        cmocka_unit_test(in_the_journal_the_sentence_comes_with_its_fields),
        cmocka_unit_test(what_the_journal_refuses_goes_to_its_stream_with_the_priority),
        cmocka_unit_test(the_journal_is_used_only_when_standard_error_is_its_stream),
        cmocka_unit_test(messages_below_the_level_are_dropped_at_the_door),
        cmocka_unit_test(a_message_stays_one_line_of_clean_text),
        cmocka_unit_test(fields_of_any_length_are_cut_not_overrun),
        cmocka_unit_test(only_remedy_and_details_keep_their_lines),
        cmocka_unit_test(long_lines_are_cut_at_a_character),
        cmocka_unit_test(on_standard_error_long_fields_are_not_shown),
        cmocka_unit_test(lines_of_many_threads_all_come_out_whole),
        cmocka_unit_test(a_full_queue_drops_and_counts_info_but_keeps_errors),
        cmocka_unit_test(errors_have_a_limit_as_well),
        cmocka_unit_test(a_log_that_cannot_be_written_is_given_up_at_the_end),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
