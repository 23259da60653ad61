#include "daemon/trace.h"

#include "base/clock.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"

#include <string.h>

/* A status that the code names already is not named twice. */
static bool has_status(const struct failure *failure)
{
    return failure->http_status != 0 && strncmp(failure->code, "HTTP ", 5) != 0;
}

static void write_step(struct buffer *text, const struct failure *failure)
{
    bool has_code = failure->code[0] != '\0';
    bool has_answer = has_code || has_status(failure);
    if (failure->step[0] == '\0' && !has_answer)
        return;
    buffer_append_format(text, "at %s%s%s", failure->step,
                         failure->step[0] != '\0' && has_answer ? ": " : "", failure->code);
    if (has_status(failure))
        buffer_append_format(text, "%sHTTP %u", has_code ? ", " : "",
                             (unsigned)failure->http_status);
    buffer_append_char(text, '\n');
}

static void write_part(struct buffer *text, const struct cycle *cycle)
{
    if (cycle->at == NULL)
        return;
    buffer_append_format(text, "at %s%s%s\n", cycle->at, cycle->at_detail[0] == '\0' ? "" : " ",
                         cycle->at_detail);
}

static void write_cycle(struct buffer *text, const struct cycle *cycle)
{
    char since[CLOCK_TEXT_SIZE];
    clock_format_utc(cycle->started_wall_ms - cycle->started_wall_ms % 1000, since);
    buffer_append_format(text, "at %s email of %s, since %s\n",
                         cycle->direction == CYCLE_INCOMING ? "receiving" : "sending",
                         mailbox_address(cycle->mailbox), since);
}

static void write_profile(struct buffer *text, const struct config_profile *profile)
{
    buffer_append_format(text, "at profile %s: %s as %s\n", profile->name, profile->url,
                         profile->username == NULL ? "the owner of the Kerberos ticket"
                                                   : profile->username);
}

void trace_write(struct buffer *text, const struct cycle *cycle, const struct failure *failure)
{
    write_step(text, failure);
    write_part(text, cycle);
    write_cycle(text, cycle);
    write_profile(text, cycle->profile->config);
}
