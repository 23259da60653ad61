#include "daemon/intake_decision.h"

#include "mail/encoded_word.h"

#include <ctype.h>
#include <string.h>

static void refuse(struct intake_decision *decision, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse(struct intake_decision *decision, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    buffer_append_format_list(&decision->reason, format, list);
    va_end(list);
}

static void append_lower(struct buffer *text, const char *address)
{
    for (; *address != '\0'; address++)
        buffer_append_char(text, (char)tolower((unsigned char)*address));
}

/* Name <address>, the name quoted or in encoded words; names come from outside and have one line.
 */
static void write_from(struct buffer *from, const char *name, const char *address)
{
    if (name == NULL) {
        buffer_append_format(from, "<%s>", address);
        return;
    }
    if (encoded_words_needed(name)) {
        encoded_words_append(from, name);
        buffer_append_format(from, " <%s>", address);
        return;
    }
    buffer_append_char(from, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            buffer_append_char(from, '\\');
        buffer_append_char(from, *name);
    }
    buffer_append_format(from, "\" <%s>", address);
}

/* Finds the mailbox that sends; NULL with the reason. */
static const struct config_mailbox *find_sender(struct intake_decision *decision,
                                                const struct intake_owner *owner,
                                                const struct config *config,
                                                const struct address *from)
{
    const struct config_mailbox *mailbox = NULL;
    struct buffer address = {0};
    append_lower(&address, from->address);
    const char *name = from->name;
    if (!owner->find(owner->argument, buffer_string(&address), &decision->mailbox, &mailbox)) {
        const char *mapped = config_map_sender(config, buffer_string(&address));
        if (mapped == NULL && config_find_mailbox(config, buffer_string(&address)) != NULL)
            refuse(
                decision,
                "From is %s, whose section [mailbox %s] has no outgoing = yes; write it there to "
                "let it send.",
                from->address, buffer_string(&address));
        else if (mapped == NULL)
            refuse(decision,
                   "From is %s, which is no mailbox with outgoing = yes, and neither sender_map "
                   "nor default_sender gives it one; sender_map = %s: MAILBOX in section [exsyncd] "
                   "lets that mailbox send for it.",
                   from->address, from->address);
        else if (!owner->find(owner->argument, mapped, &decision->mailbox, &mailbox))
            refuse(decision, "From is %s, for which %s would send, but outgoing is off there.",
                   from->address, mapped);
        if (name == NULL)
            name = from->address;
    }
    /* Written anew in any case: what others read out of an odd From field is not what was checked.
     */
    if (mailbox != NULL)
        write_from(&decision->from, name, mailbox->address);
    buffer_release(&address);
    return mailbox;
}

static void check_submitter(struct intake_decision *decision, const struct config_mailbox *mailbox,
                            const struct outbox_envelope *envelope)
{
    if (config_may_submit(mailbox->settings, envelope->submitter, envelope->groups,
                          envelope->group_count))
        return;
    refuse(decision,
           "The user %s (%lu) may not send as %s; add the user to submitters of [mailbox %s].",
           envelope->submitter_name == NULL ? "without a name" : envelope->submitter_name,
           (unsigned long)envelope->submitter, mailbox->address, mailbox->address);
}

static void refuse_recipient(struct intake_decision *decision, const char *address, bool has_domain)
{
    if (has_domain)
        refuse(decision, "Its recipient %s has an address with a space, which cannot be sent to.",
               address);
    else
        refuse(decision,
               "Its recipient %s has no domain, and recipient_map gives it no address; "
               "recipient_map = %s: ADDRESS in section [exsyncd] does.",
               address, address);
}

/* One that cannot be written to is a reason to refuse: the others would have the message, and
 * nobody would know who has not. */
static void append_recipients(struct intake_decision *decision, const struct config *config,
                              const char *kind, const struct address_list *list)
{
    struct buffer *text = &decision->recipients;
    for (size_t i = 0; i < list->count; i++) {
        const char *address = list->addresses[i].address, *name = list->addresses[i].name;
        const char *mapped = config_map_recipient(config, address);
        if (mapped == NULL)
            mapped = address;
        bool has_domain = strchr(mapped, '@') != NULL;
        if (!has_domain || strpbrk(mapped, " \n") != NULL) {
            if (decision->reason.length == 0)
                refuse_recipient(decision, address, has_domain);
            continue;
        }
        buffer_append_format(text, "%s%s %s %s", text->length == 0 ? "" : "\n", kind, mapped,
                             name == NULL ? "" : name);
    }
}

static void collect_recipients(struct intake_decision *decision, const struct config *config,
                               const struct outbox_envelope *envelope)
{
    if (envelope->to.invalid + envelope->cc.invalid + envelope->bcc.invalid > 0) {
        refuse(
            decision,
            "Its To, Cc or Bcc has a part that is no address (is a comma missing?), or more than "
            "%d addresses.",
            (int)ADDRESS_LIST_MAX);
        return;
    }
    append_recipients(decision, config, "to", &envelope->to);
    append_recipients(decision, config, "cc", &envelope->cc);
    append_recipients(decision, config, "bcc", &envelope->bcc);
    if (decision->recipients.length == 0 && decision->reason.length == 0)
        refuse(decision, "It has no recipient: neither To nor Cc nor Bcc holds an address with a "
                         "domain.");
}

void intake_decide(struct intake_decision *decision, const struct intake_owner *owner,
                   const struct config *config, const struct outbox_envelope *envelope,
                   const char *id)
{
    const struct config_mailbox *mailbox = NULL;
    if (envelope->problem != NULL)
        refuse(decision, "%s", envelope->problem);
    else if (config->max_submission_size > 0 && envelope->size > config->max_submission_size)
        refuse(decision, "It has %llu bytes; max_submission_size is %llu.",
               (unsigned long long)envelope->size, (unsigned long long)config->max_submission_size);
    else if (envelope->from.count == 0)
        refuse(decision, "It has no From with an address.");
    else if (envelope->from.count > 1 || envelope->from.invalid > 0)
        refuse(decision, "Its From field must hold one address and nothing else.");
    else
        mailbox = find_sender(decision, owner, config, &envelope->from.addresses[0]);
    if (mailbox != NULL)
        check_submitter(decision, mailbox, envelope);
    if (mailbox != NULL && decision->reason.length == 0)
        collect_recipients(decision, config, envelope);
    decision->taken = decision->reason.length == 0;
    if (decision->taken && envelope->message_id == NULL)
        buffer_append_format(&decision->message_id, "<%s@%s>", id,
                             strrchr(mailbox->address, '@') + 1);
}

void intake_decision_release(struct intake_decision *decision)
{
    buffer_release(&decision->reason);
    buffer_release(&decision->from);
    buffer_release(&decision->message_id);
    buffer_release(&decision->recipients);
}
