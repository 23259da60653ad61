/* One message to the owner of a profile: a mail, and the same as JSON for a command.
 *
 * Alerts with the same category and code have one cause: they share a section, a remedy and the
 * details of the first of them. At most NOTIFICATION_SHOWN alerts and mailboxes are named in the
 * mail; the others are counted.
 *
 * The mail: RFC 5322 with CRLF, seven bits, lines under 76 bytes but for fields that cannot be
 * folded; plain text and HTML (RFC 2046, multipart/alternative), both quoted-printable; no answer
 * is sent to it automatically (RFC 3834; X-Auto-Response-Suppress for Exchange). The HTML is one
 * column without pictures, scripts or anything from elsewhere, and leaves the colours to the
 * reader.
 *
 * The JSON, in one line without a line feed:
 *   version   1; a later one may have members more, none less
 *   kind      "trouble": there are new alerts; "well": what was told is over
 *   id        of the notification: a UUID; the same one means the same notification again
 *   date      when it was made, xs:dateTime in UTC; all times are
 *   host      the machine that exsyncd runs on
 *   profile, owner, account (null: the owner of a Kerberos ticket), url
 *   summary   the subject of the mail
 *   alerts    an array, oldest first, of objects as alert_json.h describes them;
 *             their sentence says that the owner has been notified
 *   alerts_total     how many there are; more than are in the array when it was cut
 *   mailboxes        an array of addresses: those that an absorbing alert stands for
 *   mailboxes_total  how many there are */
#ifndef EXSYNC_DAEMON_NOTIFICATION_TEXT_H
#define EXSYNC_DAEMON_NOTIFICATION_TEXT_H

#include "base/buffer.h"
#include "store/store_alerts.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NOTIFICATION_SHOWN = 50,
    NOTIFICATION_SUBJECT_SIZE = 512, /* enough for every summary */
};

enum notification_kind {
    NOTIFICATION_TROUBLE = 1,
    NOTIFICATION_WELL,
};

struct notification_text {
    const char *id; /* UUID: makes the Message-ID */
    enum notification_kind kind;
    const char *from;  /* address: ASCII, without anything around it */
    const char *owner; /* the same */
    const char *host;  /* this machine's name: ASCII */
    const char *profile;
    const char *account; /* NULL: the owner of the Kerberos ticket */
    const char *url;
    int64_t date_ms;
    const struct store_alert_row
        *alerts; /* oldest first; of NOTIFICATION_WELL: those that are over */
    size_t alert_count;
    uint64_t alert_total;         /* 0: alert_count */
    const char *const *mailboxes; /* of an absorbing alert; may be NULL */
    size_t mailbox_count;
    uint64_t mailbox_total; /* 0: mailbox_count */
};

/* What the mail is about, in one line: "exsyncd: carla@contoso.com may not be impersonated (profile
 * contoso)". */
void notification_write_subject(char subject[NOTIFICATION_SUBJECT_SIZE],
                                const struct notification_text *what);

/* Appends the whole mail. Its first line is From, and can be left out by who knows better. */
void notification_write_message(struct buffer *mail, const struct notification_text *what);

/* The caller frees it with memory_free. */
char *notification_write_json(const struct notification_text *what);

#endif
