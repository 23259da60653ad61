#include "daemon/report.h"

#include "base/clock.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void report_explain(struct buffer *text, const struct failure *failure)
{
    const char *sentence = failure->sentence == NULL ? "It failed." : failure->sentence;
    size_t length = strlen(sentence);
    if (length > 0 && sentence[length - 1] == '.')
        length--;
    if (failure->step[0] != '\0')
        buffer_append_format(text, "%s: ", failure->step);
    buffer_append(text, sentence, length);
    if (failure->code[0] != '\0')
        buffer_append_format(text, " (%s)", failure->code);
    if (failure->text[0] != '\0')
        buffer_append_format(text, ": \"%s\"", failure->text);
    if (text->length > 1 && strcmp(text->data + text->length - 2, ".\"") != 0)
        buffer_append_char(text, '.');
    if (failure->remedy != NULL && failure->remedy[0] != '\0')
        buffer_append_format(text, " %s", failure->remedy);
}

void report_reason(char text[REPORT_REASON_SIZE], const struct failure *failure)
{
    struct buffer buffer = {0};
    report_explain(&buffer, failure);
    snprintf(text, REPORT_REASON_SIZE, "%s", buffer_string(&buffer));
    buffer_release(&buffer);
}

void report_next_try(char text[REPORT_NEXT_TRY_SIZE], uint64_t wait_ms)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    time_t then = now + (time_t)(wait_ms / 1000);
    struct tm today, day;
    localtime_r(&now, &today);
    localtime_r(&then, &day);
    bool same = today.tm_yday == day.tm_yday && today.tm_year == day.tm_year;
    strftime(text, REPORT_NEXT_TRY_SIZE,
             same ? "Next try at %H:%M:%S." : "Next try on %F at %H:%M:%S.", &day);
}

struct log_fields report_fields(const struct cycle *cycle, const char *message_id,
                                const struct failure *failure)
{
    return (struct log_fields){
        .message_id = message_id,
        .profile = cycle->profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .direction = cycle_direction_name(cycle->direction),
        .activity = cycle->activity,
        .step = failure == NULL ? NULL : failure->step,
        .code = failure == NULL ? NULL : failure->code,
    };
}

struct store_failure report_row(const struct cycle *cycle, const struct failure *failure,
                                int64_t next_retry_ms)
{
    struct store_failure row = {
        .failure = *failure,
        .profile = cycle->profile->config->name,
        .mailbox = cycle->mailbox->id,
        .direction = cycle_direction_name(cycle->direction),
        .activity = cycle->activity,
        .now_ms = clock_wall_ms(),
        .next_retry_ms = next_retry_ms,
    };
    row.failure.scope = FAILURE_SCOPE_ITEM;
    return row;
}
