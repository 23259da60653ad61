#include "daemon/alert_log.h"

#include "base/buffer.h"
#include "daemon/alert_text.h"
#include "daemon/messages.h"
#include "daemon/remedy.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_SIZE = 24 };

static const char *message_id(const struct store_alert_row *alert, bool opens)
{
    if (opens && alert->absorbs)
        return MESSAGE_ALERT_GROUPED;
    if (opens)
        return message_of_alert(alert_category_of(alert->category));
    return alert->told == STORE_TOLD_DONE ? MESSAGE_ALERT_NOTIFIED : MESSAGE_ALERT_NOT_NOTIFIED;
}

void alert_log(struct log *log, const struct store_alert_row *alert, bool opens,
               const struct config_profile *profile)
{
    struct buffer sentence = {0}, details = {0}, remedy = {0};
    char number[NUMBER_SIZE];
    const struct remedy_place place = {
        .account = profile == NULL ? NULL : profile->username,
        .profile = alert->profile,
        .url = profile == NULL ? NULL : profile->url,
        .mailbox = alert->mailbox,
        .scope = alert_scope_of(alert->scope),
        .message = alert->submission,
    };
    alert_write_sentence(&sentence, alert->opening, alert->profile, alert->told,
                         alert->told_reason);
    alert_write_details(&details, alert->activity,
                        alert->text[0] == '\0' ? alert->sentence : alert->text, alert->trace);
    remedy_write(&remedy, alert_category_of(alert->category), alert->remedy, &place);
    snprintf(number, sizeof number, "%" PRId64, alert->id);
    const struct log_fields fields = {
        .message_id = message_id(alert, opens),
        .profile = alert->profile,
        .mailbox = alert->mailbox[0] == '\0' ? NULL : alert->mailbox,
        .direction = alert->direction[0] == '\0' ? NULL : alert->direction,
        .activity = alert->activity,
        .step = alert->step,
        .code = alert->code,
        .account = place.account == NULL ? "the owner of the Kerberos ticket" : place.account,
        .alert = number,
        .cause = opens ? alert->sentence : NULL,
        .details = opens ? buffer_string(&details) : NULL,
        .remedy = opens ? buffer_string(&remedy) : NULL,
        .subject = alert->subject,
    };
    log_write(log, LOG_PRIORITY_ERROR, &fields, "%s", buffer_string(&sentence));
    buffer_release(&sentence);
    buffer_release(&details);
    buffer_release(&remedy);
}
