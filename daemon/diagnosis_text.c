#include "daemon/diagnosis_text.h"

#include "base/shell_word.h"
#include "base/text.h"
#include "daemon/remedy.h"
#include "daemon/sign_in.h"

#include <inttypes.h>

enum { NAMED_MAX = 5 };

static const char *account_of(const struct diagnosis_result *result)
{
    const char *username = result->profile->username;
    return username == NULL ? "the owner of the Kerberos ticket" : username;
}

/* --- pieces of sentences --- */

static size_t count_of(const struct diagnosis_result *result, bool working)
{
    size_t count = 0;
    for (size_t i = 0; i < result->other_count; i++)
        count += (result->others[i].result == DIAGNOSIS_OTHER_WORKS) == working;
    return count;
}

/* " (a@example.com, b@example.com, ...)" */
static void name_others(struct buffer *text, const struct diagnosis_result *result, bool working)
{
    size_t named = 0;
    for (size_t i = 0; i < result->other_count; i++) {
        if ((result->others[i].result == DIAGNOSIS_OTHER_WORKS) != working)
            continue;
        if (named == NAMED_MAX) {
            buffer_append_string(text, ", ...");
            break;
        }
        buffer_append_format(text, "%s%s", named++ == 0 ? " (" : ", ", result->others[i].address);
    }
    if (named > 0)
        buffer_append_char(text, ')');
}

/* "30 of the 480 other mailboxes of profile Contoso, chosen at random" */
static void say_which(struct buffer *text, const struct diagnosis_result *result)
{
    size_t count = result->other_count, all = result->others_configured;
    if (count < all)
        buffer_append_format(text, "%zu of the %zu other mailboxes of profile %s, chosen at random",
                             count, all, result->profile->name);
    else if (count == 1)
        buffer_append_format(text, "the one other mailbox of profile %s", result->profile->name);
    else
        buffer_append_format(text, "the %zu other mailboxes of profile %s", count,
                             result->profile->name);
}

static bool is_only_other(const struct diagnosis_result *result)
{
    return result->other_count == 1 && result->others_configured == 1;
}

static void say_cause(struct buffer *text, const struct diagnosis_result *result)
{
    const struct failure *failure = &result->failure;
    const char *sentence = failure->sentence == NULL ? "" : failure->sentence;
    buffer_append_string(text, sentence);
    if (failure->text[0] != '\0')
        buffer_append_format(text, " (%s: %s)", failure->code, failure->text);
    else
        buffer_append_format(text, " (%s)", failure->code);
}

static void say_own_mailbox(struct buffer *text, const struct diagnosis_result *result)
{
    if (result->own == ACCOUNT_MAILBOX_NONE)
        buffer_append_string(text,
                             " The account has no mailbox of its own: that is another matter "
                             "and proves nothing, since it needs none to impersonate others.");
}

/* --- findings --- */

static void write_works(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text,
                         "%s works: %s signs in to %s and reached it %" PRIu32
                         " times out of %" PRIu32 ", each time on a new connection.",
                         result->address, account_of(result), result->profile->url, result->tries,
                         result->tries);
    if (result->profile->impersonation)
        say_own_mailbox(text, result);
}

static void write_sign_in_refused(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text,
                         "%s cannot sign in to %s, so none of the mailboxes of profile %s "
                         "can work: ",
                         account_of(result), result->profile->url, result->profile->name);
    say_cause(text, result);
    buffer_append_string(text, ". This is no matter of impersonation.");
    if (result->detail[0] != '\0')
        buffer_append_format(text, " The test of signing in: %s.", result->detail);
}

static void write_unreachable(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text,
                         "The server of profile %s at %s cannot be used: ", result->profile->name,
                         result->profile->url);
    say_cause(text, result);
    if (result->detail[0] != '\0')
        buffer_append_format(text, " The certificate: %s.", result->detail);
}

static void write_wrong_server(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text, "The server at %s seems to be the wrong one. ",
                         result->profile->url);
    if (result->failure.category == FAILURE_MAILBOX) {
        buffer_append_format(text, "%s can sign in there, but it knows neither %s nor any of ",
                             account_of(result), result->address);
        say_which(text, result);
        buffer_append_char(text, '.');
        return;
    }
    say_cause(text, result);
    if (result->detail[0] != '\0')
        buffer_append_format(text, " (%s)", result->detail);
}

static void write_no_role(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text, "%s signs in to %s, but may not impersonate %s", account_of(result),
                         result->profile->url, result->address);
    if (result->other_count > 0) {
        buffer_append_string(text, ", nor any of ");
        say_which(text, result);
        buffer_append_string(text, ". Either it has no role ApplicationImpersonation, or the role "
                                   "has a scope with none of these mailboxes in it.");
    } else {
        buffer_append_string(text, ". Either it has no role ApplicationImpersonation, or the role "
                                   "has a scope without this mailbox: the profile has no other "
                                   "mailbox that could tell which.");
    }
    say_own_mailbox(text, result);
}

static void write_scope(struct buffer *text, const struct diagnosis_result *result)
{
    size_t working = count_of(result, true), failing = count_of(result, false);
    buffer_append_format(text,
                         "%s has the role ApplicationImpersonation, but only for some mailboxes, "
                         "and %s is not among them: the role has a scope. ",
                         account_of(result), result->address);
    if (is_only_other(result) && working == 1) {
        buffer_append_format(text, "The one other mailbox of profile %s works",
                             result->profile->name);
    } else {
        buffer_append_string(text, "Of ");
        say_which(text, result);
        buffer_append_format(text, ", %zu %s", working, text_plural(working, "works", "work"));
    }
    name_others(text, result, true);
    if (failing > 0) {
        buffer_append_format(text, " and %zu %s not", failing, text_plural(failing, "does", "do"));
        name_others(text, result, false);
    }
    buffer_append_char(text, '.');
}

static void write_spreading(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(
        text,
        "The servers behind %s do not agree: of %" PRIu32
        " requests for %s, each on a new connection, %" PRIu32 " %s refused and %" PRIu32 " %s "
        "not. The role ApplicationImpersonation was granted or taken away a short while ago, and "
        "not every server knows yet; that may take an hour. Nothing needs to be done unless it "
        "lasts longer.",
        result->profile->url, result->tries, result->address, result->refused,
        text_plural(result->refused, "was", "were"), result->tries - result->refused,
        text_plural(result->tries - result->refused, "was", "were"));
}

static void write_no_mailbox(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text,
                         "The mailbox %s cannot be used on %s, and impersonation is not the "
                         "cause: ",
                         result->address, result->profile->url);
    say_cause(text, result);
    size_t working = count_of(result, true);
    if (working > 0 && is_only_other(result)) {
        buffer_append_format(text, " The one other mailbox of profile %s can be used.",
                             result->profile->name);
    } else if (working > 0) {
        buffer_append_string(text, " Of ");
        say_which(text, result);
        buffer_append_format(text, ", %zu can be used.", working);
    }
}

static void write_other(struct buffer *text, const struct diagnosis_result *result)
{
    buffer_append_format(text,
                         "%s signs in to %s, and it is not the impersonation of %s that "
                         "fails: ",
                         account_of(result), result->profile->url, result->address);
    say_cause(text, result);
}

/* Findings that say in their own words what is to be done, or that nothing is. */
static bool has_own_words(enum diagnosis_finding finding)
{
    return finding == DIAGNOSIS_WORKS || finding == DIAGNOSIS_NO_ROLE ||
           finding == DIAGNOSIS_SCOPE || finding == DIAGNOSIS_SPREADING;
}

static void write_remedy(struct buffer *text, const struct diagnosis_result *result)
{
    const struct failure *failure = &result->failure;
    struct buffer remedy = {0};
    if (has_own_words(result->finding))
        return;
    if (result->finding == DIAGNOSIS_SIGN_IN_REFUSED && !failure->account_unasked)
        sign_in_write_remedy(&remedy, result->profile, failure->remedy, result->address);
    else if (failure->remedy != NULL)
        buffer_append_string(&remedy, failure->remedy);
    if (remedy.length > 0)
        buffer_append_format(text, "%s %s", text->data[text->length - 1] == '.' ? "" : ".",
                             remedy.data);
    buffer_release(&remedy);
}

void diagnosis_write_finding(struct buffer *text, const struct diagnosis_result *result)
{
    static void (*const writers[])(struct buffer *, const struct diagnosis_result *) = {
        [DIAGNOSIS_WORKS] = write_works,
        [DIAGNOSIS_UNREACHABLE] = write_unreachable,
        [DIAGNOSIS_SIGN_IN_REFUSED] = write_sign_in_refused,
        [DIAGNOSIS_WRONG_SERVER] = write_wrong_server,
        [DIAGNOSIS_NO_ROLE] = write_no_role,
        [DIAGNOSIS_SCOPE] = write_scope,
        [DIAGNOSIS_SPREADING] = write_spreading,
        [DIAGNOSIS_NO_MAILBOX] = write_no_mailbox,
        [DIAGNOSIS_OTHER] = write_other,
    };
    writers[result->finding](text, result);
    write_remedy(text, result);
}

/* --- commands --- */

static bool is_about_exchange(enum diagnosis_finding finding)
{
    return finding != DIAGNOSIS_WORKS && finding != DIAGNOSIS_UNREACHABLE;
}

static void write_for_exchange(struct buffer *text, const struct diagnosis_result *result,
                               const struct remedy_place *place)
{
    switch (result->finding) {
    case DIAGNOSIS_SIGN_IN_REFUSED:
        if (!result->failure.account_unasked)
            remedy_write_commands(text, FAILURE_AUTHENTICATION, place);
        break;
    case DIAGNOSIS_WRONG_SERVER:
        remedy_write_server(text, place);
        break;
    case DIAGNOSIS_NO_ROLE:
        remedy_write_commands(text, FAILURE_IMPERSONATION, place);
        break;
    case DIAGNOSIS_SCOPE:
        remedy_write_scope(text, place);
        break;
    case DIAGNOSIS_SPREADING:
        remedy_write_check(text, place);
        break;
    default:
        remedy_write_commands(text, result->failure.category, place);
        break;
    }
}

void diagnosis_write_commands(struct buffer *text, const struct diagnosis_result *result)
{
    const struct remedy_place place = {
        .account = result->profile->username,
        .profile = result->profile->name,
        .url = result->profile->url,
        .mailbox = result->address,
        .scope = FAILURE_SCOPE_MAILBOX,
    };
    if (result->finding == DIAGNOSIS_WORKS)
        return;
    if (is_about_exchange(result->finding))
        write_for_exchange(text, result, &place);
    buffer_append_string(text, "# To check, on this machine:\nexsyncctl diagnose ");
    shell_word_append(text, result->address);
    buffer_append_char(text, '\n');
}
