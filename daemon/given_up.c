#include "daemon/given_up.h"

#include "base/clock.h"

bool given_up_is_due(const struct submission *submission)
{
    const struct store_submission *row = &submission->row;
    if (row->doubt_since_ms != 0) /* which the store puts off by the time that it was held */
        return clock_wall_ms() - row->doubt_since_ms > SUBMISSION_LIFETIME_MS;
    return submission_age(row, row->queued_ms) > SUBMISSION_LIFETIME_MS;
}

static struct failure given_up(const char *step, const char *code, const char *sentence,
                               const char *remedy)
{
    struct failure failure = {
        .category = FAILURE_ITEM,
        .scope = FAILURE_SCOPE_ITEM,
        .sentence = sentence,
        .remedy = remedy,
    };
    failure_set_step(&failure, step);
    failure_set_code(&failure, code);
    return failure;
}

/* The sentence stands without its full stop where the other side's words follow. */
static void tell_last(struct failure *failure, const struct failure *last)
{
    const char *sentence = last->sentence == NULL ? "" : last->sentence;
    failure->category = last->category;
    failure_format_text(failure, "the last reason: %s%s%s", sentence,
                        last->text[0] == '\0' ? "" : " ", last->text);
}

struct failure given_up_trying(const struct failure *last)
{
    static const char sentence[] = "It was tried for 5 days and could not be sent.";
    if (last == NULL) {
        struct failure failure =
            given_up("SendItem", "NotSent", sentence, "Submit the message again.");
        failure_format_text(&failure, "no request to send it was answered");
        return failure;
    }
    const char *remedy = last->remedy == NULL ? "" : last->remedy;
    struct failure failure = given_up(last->step, last->code, sentence, remedy);
    tell_last(&failure, last);
    return failure;
}

struct failure given_up_finding_out(const struct failure *last, bool may_be_sent)
{
    struct failure failure =
        may_be_sent
            ? given_up(last->step, last->code,
                       "It is not known whether the message was sent: for 5 days Exchange has not "
                       "said what became of it.",
                       "Look for it in Sent Items and in Drafts; if it is in neither, submit it "
                       "again.")
            : given_up(last->step, last->code,
                       "It was not sent: for 5 days Exchange has not said what became of its "
                       "draft.",
                       "Submit the message again.");
    failure.in_doubt = may_be_sent;
    tell_last(&failure, last);
    return failure;
}

struct failure given_up_waiting(void)
{
    struct failure failure =
        given_up("SendItem", "NotTaken",
                 "Exchange has accepted the message, and for 5 days it has waited there for "
                 "Transport.",
                 "Check Exchange's Transport. The message may be sent yet: before it is submitted "
                 "again, remove it from Drafts.");
    failure.in_doubt = true;
    failure_format_text(&failure, "it is still in Drafts, submitted");
    return failure;
}

struct failure given_up_without_file(void)
{
    struct failure failure = given_up(
        "CreateItem", "NoFile",
        "It is not known whether the message was sent: a backup was put back, which has it as not "
        "yet sent, its file is not in the outbox any more, and Exchange has nothing of it.",
        "It was sent, and its copy was removed from Sent Items since, or it was lost together with "
        "the outbox. If it did not arrive, submit it again.");
    failure.permanent = true;
    failure.in_doubt = true;
    failure_format_text(&failure, "neither Drafts, Outbox nor Sent Items has it");
    return failure;
}

struct failure given_up_searching(void)
{
    struct failure failure =
        given_up("CreateItem", "InDoubt", "It is not known whether the message was sent.",
                 "Look for it in Sent Items; if it is not there, submit it again.");
    failure.permanent = true;
    failure.in_doubt = true;
    failure_format_text(&failure, "no copy has turned up since the server was asked to send it");
    return failure;
}
