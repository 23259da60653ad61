/* What a person is told to do about a failure.
 *
 * First the commands, where Exchange or the directory has some, for this account and this mailbox,
 * ready to be pasted; then the remedy of the failure; and at the end how it goes on. The commands
 * are those of the Exchange Management Shell and of the Active Directory module for PowerShell.
 * Values stand in PowerShell's double quotes and are quoted for them, so that no name can be more
 * than a name. Sources: Microsoft's reference of Get-ManagementRoleAssignment (WritableRecipient
 * goes with Role and GetEffectiveUsers and takes the scope of each assignment into account),
 * Get-CASMailbox, Get-ThrottlingPolicyAssociation, Get-MailUser, Get-ADUser and Unlock-ADAccount;
 * Get-ManagementScope, Get-WebServicesVirtualDirectory;
 * about_Quoting_Rules; RFC 4515 (values in a filter). */
#ifndef EXSYNC_DAEMON_REMEDY_H
#define EXSYNC_DAEMON_REMEDY_H

#include "base/buffer.h"
#include "base/failure.h"

#include <stdbool.h>

struct remedy_place {
    const char *account; /* "CONTOSO\svc-sync", "svc-sync@contoso.com"; NULL: the owner of the
                            Kerberos ticket */
    const char *profile;
    const char *url;
    const char *mailbox;      /* address; NULL or "": the whole profile */
    enum failure_scope scope; /* of the failure; a message's has commands of exsyncctl alone */
    const char *message;      /* the outgoing message's id; NULL or "": it is of none */
};

/* Appends the commands, a line each; nothing for categories that have none. */
void remedy_write_commands(struct buffer *text, enum failure_category category,
                           const struct remedy_place *place);

/* The same for a mailbox that the scope of the account's role leaves out. */
void remedy_write_scope(struct buffer *text, const struct remedy_place *place);

/* Which account may impersonate the mailbox; nothing is changed. */
void remedy_write_check(struct buffer *text, const struct remedy_place *place);

/* Where the mailbox is, and what the addresses of Exchange Web Services are. */
void remedy_write_server(struct buffer *text, const struct remedy_place *place);

/* Appends the remedy of the failure (NULL or "": none is known), and how it goes on unless the
 * remedy says it; of a refused sign-in also how it is tried at once, of a refused impersonation
 * what finds its cause. One line, without a line feed at the end. */
void remedy_write_words(struct buffer *text, enum failure_category category, const char *remedy,
                        const struct remedy_place *place);

/* Appends how a refused sign-in is tried again once it is mended: with a new password, and with the
 * same. `password`: whether it signs in with one. `profile` or `address` (of a mailbox) may be
 * NULL. */
void remedy_write_sign_in(struct buffer *text, bool password, const char *profile,
                          const char *address);

/* Both, with an empty line between them. */
void remedy_write(struct buffer *text, enum failure_category category, const char *remedy,
                  const struct remedy_place *place);

#endif
