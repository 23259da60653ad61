#include "config/config_keys.h"

#include "base/log.h"
#include "config/config.h"

#include <string.h>

#define DAEMON_FIELD(member)  offsetof(struct config, member)
#define PROFILE_FIELD(member) offsetof(struct config_profile, member)
#define SMTP_FIELD(member)    offsetof(struct config_smtp, member)
#define MAILBOX_FIELD(member) offsetof(struct config_mailbox_settings, member)
#define SEVERAL_FIELDS        SIZE_MAX

#define SECOND   UINT64_C(1000)
#define MINUTE   (60 * SECOND)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)
#define MEGABYTE (UINT64_C(1000) * 1000)
#define GIGABYTE (1000 * MEGABYTE)

const struct config_section_description config_sections[CONFIG_SECTION_COUNT] = {
    [CONFIG_SECTION_DAEMON] = {"exsyncd", NULL, "exsyncd", "The daemon itself.", false},
    [CONFIG_SECTION_PROFILE] =
        {"profile", "NAME", "profile contoso",
         "An email server profile: where Exchange is, which account signs in, how often and how "
         "hard to sync. One section a profile; NAME is yours to choose and may hold spaces.",
         false},
    [CONFIG_SECTION_SMTP] =
        {"smtp", NULL, "smtp",
         "The mail server that takes notifications to owners, for profiles whose notify names "
         "smtp: a way to the owner that does not depend on the Exchange that fails.",
         true},
    [CONFIG_SECTION_MAILBOX_DEFAULTS] =
        {"mailbox-defaults", NULL, "mailbox-defaults",
         "What holds for every mailbox that does not say otherwise. All of these keys may stand in "
         "a [mailbox ADDRESS] section, too.",
         false},
    [CONFIG_SECTION_MAILBOX] =
        {"mailbox", "ADDRESS", "mailbox anna@contoso.com",
         "One section for each mailbox that is kept in step; often the title is all it needs.",
         false},
};

const struct config_key config_keys[CONFIG_KEY_COUNT] = {
    /* --- [exsyncd] --- */

    [CONFIG_KEY_STATE_DIRECTORY] =
        {.name = "state_directory",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_PATH,
         .field = DAEMON_FIELD(state_directory),
         .example = "/var/lib/exsyncd",
         .text = "Where the daemon keeps its database and the outbox; exsync-submit looks for the "
                 "outbox in /var/lib/exsyncd. Without this key: what systemd says in "
                 "$STATE_DIRECTORY, or /var/lib/exsyncd."},
    [CONFIG_KEY_CONTROL_SOCKET] =
        {.name = "control_socket",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_SOCKET,
         .field = DAEMON_FIELD(control_socket),
         .example = "/run/exsyncd/control.sock",
         .text = "Where exsyncctl finds the daemon: the path of a socket, for root and the group "
                 "exsync-admin, or none. Without this key: control.sock in the folder that systemd "
                 "says in $RUNTIME_DIRECTORY, or in /run/exsyncd."},
    [CONFIG_KEY_LOG_LEVEL] =
        {.name = "log_level",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_CHOICE,
         .field = DAEMON_FIELD(log_level),
         .initial = "info",
         .choices = {{"error", LOG_PRIORITY_ERROR},
                     {"warning", LOG_PRIORITY_WARNING},
                     {"notice", LOG_PRIORITY_NOTICE},
                     {"info", LOG_PRIORITY_INFO},
                     {"debug", LOG_PRIORITY_DEBUG}},
         .text = "The least urgent messages that are logged. Single items are logged at debug."},
    [CONFIG_KEY_FORGET_AFTER] =
        {.name = "forget_after",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_DURATION,
         .minimum = HOUR,
         .maximum = 3650 * DAY,
         .field = DAEMON_FIELD(forget_after_ms),
         .initial = "90d",
         .text = "How long the state of a mailbox that left the configuration is kept. A mailbox "
                 "that comes back later starts anew."},
    [CONFIG_KEY_LEDGER_KEEP] =
        {.name = "ledger_keep",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_DURATION,
         .minimum = 15 * DAY,
         .maximum = 3650 * DAY,
         .field = DAEMON_FIELD(ledger_keep_ms),
         .initial = "90d",
         .text = "How long a message is remembered after it has left its folder. One that comes "
                 "back later is delivered again."},
    [CONFIG_KEY_FAILURE_KEEP] =
        {.name = "failure_keep",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_DURATION,
         .minimum = HOUR,
         .maximum = 3650 * DAY,
         .field = DAEMON_FIELD(failure_keep_ms),
         .initial = "90d",
         .text = "How long a failure and its alert are kept after they were resolved."},
    [CONFIG_KEY_SUMMARY_INTERVAL] = {.name = "summary_interval",
                                     .section = CONFIG_SECTION_DAEMON,
                                     .kind = CONFIG_KIND_DURATION,
                                     .minimum = SECOND,
                                     .maximum = 365 * DAY,
                                     .field = DAEMON_FIELD(summary_interval_ms),
                                     .initial = "1h",
                                     .text = "How often a summary of what was done is logged."},
    [CONFIG_KEY_FILE_THREADS] =
        {.name = "file_threads",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_NUMBER,
         .minimum = 1,
         .maximum = 64,
         .field = DAEMON_FIELD(file_threads),
         .initial = "16",
         .text = "Threads that write files. A file system that hangs holds at most two of them."},
    [CONFIG_KEY_DEFAULT_SENDER] =
        {.name = "default_sender",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_ADDRESS,
         .field = DAEMON_FIELD(default_sender),
         .example = "anna@contoso.com",
         .text = "The mailbox that sends for local users who have none in sender_map: cron's "
                 "root@HOST, PHP's www-data@HOST. From then names the mailbox."},
    [CONFIG_KEY_SENDER_MAP] =
        {.name = "sender_map",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_LIST,
         .field = SEVERAL_FIELDS,
         .example = "www-data: anna@contoso.com, root@db1: anna@contoso.com",
         .text = "Which mailbox sends for which local user: USER (on this machine) or USER@HOST, a "
                 "colon, and the mailbox. A long list may be given in several lines."},
    [CONFIG_KEY_RECIPIENT_MAP] =
        {.name = "recipient_map",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_LIST,
         .field = SEVERAL_FIELDS,
         .example = "root: admin@contoso.com, *: helpdesk@contoso.com",
         .text =
             "Who gets what is for a recipient of this machine, such as cron's To: root: USER "
             "(without a domain, or @localhost) or USER@HOST, a colon, and an address anywhere; "
             "* alone stands for all other USERs. A message with a recipient that has no domain "
             "and "
             "does not stand here is refused. A long list may be given in several lines."},
    [CONFIG_KEY_RECIPIENTS_REWRITE] =
        {.name = "recipients_rewrite",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_BOOLEAN,
         .field = DAEMON_FIELD(recipients_rewrite),
         .initial = "no",
         .text = "Exchange sends to whom the header names. When a program gives exsync-submit "
                 "recipients of which the header names more, the message is refused, or with yes "
                 "its header is rewritten to those given."},
    [CONFIG_KEY_MAX_SUBMISSION_SIZE] =
        {.name = "max_submission_size",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_SIZE,
         .minimum = 1000,
         .maximum = 1000 * GIGABYTE,
         .field = DAEMON_FIELD(max_submission_size),
         .initial = "150MB",
         .text = "Larger messages are not taken for sending. Exchange has a limit of its own, of "
                 "about 48 MB unless it was raised."},
    [CONFIG_KEY_OUTBOX_MIN_FREE] =
        {.name = "outbox_min_free",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_SIZE,
         .maximum = 1000 * GIGABYTE,
         .field = DAEMON_FIELD(outbox_min_free),
         .initial = "64MB",
         .text = "exsync-submit takes a message only when so much stays free on the outbox's file "
                 "system, which is the database's as well, the daemon's copy of the message "
                 "included; its caller may try again later (EX_TEMPFAIL). 0 takes messages until "
                 "the disk is full."},
    [CONFIG_KEY_OUTBOX_SCAN_INTERVAL] =
        {.name = "outbox_scan_interval",
         .section = CONFIG_SECTION_DAEMON,
         .kind = CONFIG_KIND_DURATION,
         .minimum = SECOND,
         .maximum = HOUR,
         .field = DAEMON_FIELD(outbox_scan_interval_ms),
         .initial = "60s",
         .text =
             "Submitted messages are noticed at once; this is how often they are looked for all "
             "the same."},

    /* --- [profile NAME] --- */

    [CONFIG_KEY_URL] =
        {.name = "url",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_URL,
         .field = PROFILE_FIELD(url),
         .example = "https://mail.contoso.com/EWS/Exchange.asmx",
         .text = "Where Exchange Web Services answer. Required. http:// is taken for this machine "
                 "only (localhost, 127.0.0.1, [::1])."},
    [CONFIG_KEY_AUTH] =
        {.name = "auth",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_CHOICE,
         .field = PROFILE_FIELD(auth),
         .initial = "negotiate",
         .choices = {{"negotiate", CONFIG_AUTH_NEGOTIATE},
                     {"ntlm", CONFIG_AUTH_NTLM},
                     {"basic", CONFIG_AUTH_BASIC}},
         .text = "How the account signs in. Exchange offers negotiate and ntlm unless somebody "
                 "has switched basic on. negotiate is Kerberos: /etc/krb5.conf names the realm "
                 "(default_realm), and its KDCs must be reachable; where they are not, choose "
                 "ntlm."},
    [CONFIG_KEY_USERNAME] =
        {.name = "username",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_TEXT,
         .field = PROFILE_FIELD(username),
         .example = "CONTOSO\\svc-sync",
         .text = "The account that signs in, as DOMAIN\\NAME or NAME@DOMAIN; to Kerberos, "
                 "DOMAIN\\NAME is NAME in the default realm. Without a username and password, "
                 "negotiate uses the service's ticket cache (KRB5CCNAME) or client key table "
                 "(KRB5_CLIENT_KTNAME)."},
    [CONFIG_KEY_PASSWORD_FILE] =
        {.name = "password_file",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_PATH,
         .field = SEVERAL_FIELDS,
         .example = "/etc/exsyncd/contoso.password",
         .text = "A file that holds the account's password and nothing else, and that nobody else "
                 "may read: mode 0600, or 0640 when it belongs to root and the group exsyncd. It "
                 "is read again by a reload."},
    [CONFIG_KEY_PASSWORD_CREDENTIAL] =
        {.name = "password_credential",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_CREDENTIAL,
         .field = SEVERAL_FIELDS,
         .example = "contoso.password",
         .text = "Instead of password_file: the systemd credential that holds the password "
                 "(LoadCredential= or LoadCredentialEncrypted= in a drop-in of exsyncd.service). "
                 "systemd reads it when the service starts: a new one needs a restart."},
    [CONFIG_KEY_OWNER] =
        {.name = "owner",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_ADDRESS,
         .field = PROFILE_FIELD(owner),
         .example = "mail-admins@contoso.com",
         .text = "The address of the profile's owner, who is told when mailboxes fail and when all "
                 "is well again. Without an owner nobody is told."},
    [CONFIG_KEY_NOTIFY] =
        {.name = "notify",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_LIST,
         .field = SEVERAL_FIELDS,
         .initial = "exchange",
         .choices = {{"exchange", CONFIG_NOTIFY_EXCHANGE},
                     {"smtp", CONFIG_NOTIFY_SMTP},
                     {"command", CONFIG_NOTIFY_COMMAND}},
         .text = "How the owner is told, with commas between the ways: exchange sends by the "
                 "profile's own account, smtp by the server of the section [smtp], command runs "
                 "notify_command. All that are named are used; one that does not depend on the "
                 "profile's Exchange should be among them."},
    [CONFIG_KEY_NOTIFY_COMMAND] =
        {.name = "notify_command",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_COMMAND,
         .field = SEVERAL_FIELDS,
         .example = "/usr/local/bin/page-admins --team mail",
         .text = "The program that notify = command runs, and words for it, split at spaces; no "
                 "shell comes between. It gets the notification as JSON on its standard input and "
                 "has told the owner when it exits with 0."},
    [CONFIG_KEY_NOTIFY_DELAY] =
        {.name = "notify_delay",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_DURATION,
         .minimum = 0,
         .maximum = HOUR,
         .field = PROFILE_FIELD(notify_delay_ms),
         .initial = "1m",
         .text = "What fails within this time of the first failure is told in one message."},
    [CONFIG_KEY_NOTIFY_LIMIT] =
        {.name = "notify_limit",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_NUMBER,
         .minimum = 1,
         .maximum = 60,
         .field = PROFILE_FIELD(notify_limit),
         .initial = "6",
         .text = "The most messages that the owner gets in an hour. What comes beyond is told in "
                 "the next one."},
    [CONFIG_KEY_IMPERSONATION] =
        {.name = "impersonation",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_BOOLEAN,
         .field = PROFILE_FIELD(impersonation),
         .initial = "yes",
         .text = "Whether the account acts as each mailbox (ApplicationImpersonation). With no, it "
                 "opens mailboxes by its own rights."},
    [CONFIG_KEY_CONNECTING_SID] =
        {.name = "connecting_sid",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_CHOICE,
         .field = PROFILE_FIELD(connecting_sid),
         .initial = "primary_smtp",
         .choices = {{"primary_smtp", CONFIG_SID_PRIMARY_SMTP},
                     {"smtp", CONFIG_SID_SMTP},
                     {"upn", CONFIG_SID_UPN},
                     {"sid", CONFIG_SID_SID}},
         .text = "How the mailbox that the account acts as is named to Exchange: by its primary "
                 "address, by any of its addresses, by user principal name, or by SID."},
    [CONFIG_KEY_POLL_INTERVAL] = {.name = "poll_interval",
                                  .section = CONFIG_SECTION_PROFILE,
                                  .kind = CONFIG_KIND_DURATION,
                                  .minimum = SECOND,
                                  .maximum = 7 * DAY,
                                  .field = PROFILE_FIELD(poll_interval_ms),
                                  .initial = "5m",
                                  .text = "How often each mailbox is looked at."},
    [CONFIG_KEY_PROFILE_PROCESS_FROM] =
        {.name = "process_email_from",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_TIMESTAMP,
         .field = SEVERAL_FIELDS,
         .initial = "now",
         .text = "Mail that was received before is left alone: now (the moment a mailbox is first "
                 "seen), a date such as 2026-01-31, or a time such as 2026-01-31T08:00:00Z. "
                 "Without a zone it is UTC."},
    [CONFIG_KEY_MAX_CONNECTIONS] = {.name = "max_connections",
                                    .section = CONFIG_SECTION_PROFILE,
                                    .kind = CONFIG_KIND_NUMBER,
                                    .minimum = 1,
                                    .maximum = 100,
                                    .field = PROFILE_FIELD(max_connections),
                                    .initial = "10",
                                    .text = "The most requests that are under way at once."},
    [CONFIG_KEY_PAGE_SIZE] =
        {.name = "page_size",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_NUMBER,
         .minimum = 10,
         .maximum = 1000,
         .field = PROFILE_FIELD(page_size),
         .initial = "250",
         .text = "Messages that are listed by one request. Exchange gives no more than 1000."},
    [CONFIG_KEY_BATCH_SIZE] = {.name = "batch_size",
                               .section = CONFIG_SECTION_PROFILE,
                               .kind = CONFIG_KIND_NUMBER,
                               .minimum = 1,
                               .maximum = 100,
                               .field = PROFILE_FIELD(batch_size),
                               .initial = "20",
                               .text = "Messages that are fetched by one request at most."},
    [CONFIG_KEY_BATCH_BYTES] =
        {.name = "batch_bytes",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_SIZE,
         .minimum = 1000,
         .maximum = GIGABYTE,
         .field = PROFILE_FIELD(batch_bytes),
         .initial = "16MB",
         .text = "A request fetches fewer messages when they are larger than this together."},
    [CONFIG_KEY_MAX_MESSAGE_SIZE] =
        {.name = "max_message_size",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_SIZE,
         .minimum = 0,
         .maximum = 1000 * GIGABYTE,
         .field = PROFILE_FIELD(max_message_size),
         .initial = "0",
         .text = "Larger messages stay in Exchange and are recorded as failed. 0 takes all."},
    [CONFIG_KEY_REQUEST_TIMEOUT] = {.name = "request_timeout",
                                    .section = CONFIG_SECTION_PROFILE,
                                    .kind = CONFIG_KIND_DURATION,
                                    .minimum = SECOND,
                                    .maximum = HOUR,
                                    .field = PROFILE_FIELD(request_timeout_ms),
                                    .initial = "60s",
                                    .text = "A request in which no byte has moved for so long is "
                                            "given up, and one in which next to "
                                            "none have moved in ten times as long."},
    [CONFIG_KEY_CONNECT_TIMEOUT] =
        {.name = "connect_timeout",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_DURATION,
         .minimum = SECOND,
         .maximum = 10 * MINUTE,
         .field = PROFILE_FIELD(connect_timeout_ms),
         .initial = "15s",
         .text = "How long a connection, TLS included, may take to come about."},
    [CONFIG_KEY_RETRY_MIN] =
        {.name = "retry_min",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_DURATION,
         .minimum = 100,
         .maximum = DAY,
         .field = PROFILE_FIELD(retry_min_ms),
         .initial = "30s",
         .text = "The first wait after a failure that may pass by itself; it doubles each time."},
    [CONFIG_KEY_RETRY_MAX] = {.name = "retry_max",
                              .section = CONFIG_SECTION_PROFILE,
                              .kind = CONFIG_KIND_DURATION,
                              .minimum = 100,
                              .maximum = 7 * DAY,
                              .field = PROFILE_FIELD(retry_max_ms),
                              .initial = "1h",
                              .text = "The longest wait between two attempts."},
    [CONFIG_KEY_ITEM_ATTEMPTS] =
        {.name = "item_attempts",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_NUMBER,
         .minimum = 1,
         .maximum = 1000,
         .field = PROFILE_FIELD(item_attempts),
         .initial = "5",
         .text = "How often one message is tried before it is left for a person to look at."},
    [CONFIG_KEY_TRANSIENT_ATTEMPTS] =
        {.name = "transient_attempts",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_NUMBER,
         .minimum = 2,
         .maximum = 1000,
         .field = PROFILE_FIELD(transient_attempts),
         .initial = "8",
         .text = "A failure that may pass by itself and has come so many times in a row is treated "
                 "like one that stays: the owner is told, and probe_intervals hold."},
    [CONFIG_KEY_PROBE_INTERVALS] =
        {.name = "probe_intervals",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_DURATIONS,
         .minimum = SECOND,
         .maximum = 7 * DAY,
         .field = SEVERAL_FIELDS,
         .initial = "5m, 15m, 1h",
         .text = "A mailbox that a failure has stopped is tried again after these waits, the last "
                 "of which repeats, and goes on by itself when that works."},
    [CONFIG_KEY_TLS_CA_FILE] =
        {.name = "tls_ca_file",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_PATH,
         .field = PROFILE_FIELD(tls_ca_file),
         .example = "/etc/ssl/certs/contoso-ca.pem",
         .text = "The certificates (PEM) that the server's must be signed by, instead of those "
                 "that the system trusts."},
    [CONFIG_KEY_TLS_VERIFICATION] =
        {.name = "tls_verification",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_CHOICE,
         .field = SEVERAL_FIELDS,
         .initial = "full",
         .choices = {{"full", 1}, {"dangerously-disabled", 0}},
         .text = "Whether the server's certificate is checked. dangerously-disabled hands the "
                 "password and all mail to anybody who stands in between."},
    [CONFIG_KEY_HTTP_USER_AGENT] =
        {.name = "http_user_agent",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_TEXT,
         .field = PROFILE_FIELD(http_user_agent),
         .example = "exsyncd",
         .text = "The name under which the daemon appears in the server's logs, for servers that "
                 "let in programs by name."},
    [CONFIG_KEY_SEND_METHOD] =
        {.name = "send_method",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_CHOICE,
         .field = PROFILE_FIELD(send_method),
         .initial = "auto",
         .choices = {{"auto", CONFIG_SEND_AUTO},
                     {"draft", CONFIG_SEND_DRAFT},
                     {"direct", CONFIG_SEND_DIRECT}},
         .text = "draft makes a draft and sends it, two steps that can be repeated without harm; "
                 "direct does both in one request, for servers that cannot send drafts. auto is "
                 "draft until the server shows that it cannot."},
    [CONFIG_KEY_DOUBT_WINDOW] =
        {.name = "doubt_window",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_DURATION,
         .minimum = SECOND,
         .maximum = 7 * DAY,
         .field = PROFILE_FIELD(doubt_window_ms),
         .initial = "15m",
         .text = "With send_method = direct: how long a message whose sending was not answered is "
                 "looked for in the mailbox before it is left to a person."},
    [CONFIG_KEY_DELIVERY_NOTIFICATIONS] =
        {.name = "delivery_notifications",
         .section = CONFIG_SECTION_PROFILE,
         .kind = CONFIG_KIND_BOOLEAN,
         .field = PROFILE_FIELD(delivery_notifications),
         .initial = "yes",
         .text =
             "Whether a notification in the mailbox's Maildir tells of a message that could not "
             "be sent."},

    /* --- [smtp] --- */

    [CONFIG_KEY_SMTP_URL] =
        {.name = "url",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_SMTP_URL,
         .field = SMTP_FIELD(url),
         .example = "smtp://localhost:25",
         .text = "The server: smtp://HOST:PORT, or smtps://HOST:PORT for one that is encrypted "
                 "from the start. Required. Without a port it is 25, or 465 with smtps."},
    [CONFIG_KEY_SMTP_STARTTLS] =
        {.name = "starttls",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_CHOICE,
         .field = SMTP_FIELD(starttls),
         .initial = "required",
         .choices = {{"required", CONFIG_STARTTLS_REQUIRED},
                     {"offered", CONFIG_STARTTLS_OFFERED},
                     {"never", CONFIG_STARTTLS_NEVER}},
         .text = "Whether an smtp:// connection is encrypted before the message goes over it: "
                 "always, when the server offers it, or never, as servers on this machine often "
                 "need it. With a username the last two are taken for this machine only."},
    [CONFIG_KEY_SMTP_USERNAME] =
        {.name = "username",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_TEXT,
         .field = SMTP_FIELD(username),
         .example = "exsyncd",
         .text = "The account that signs in to the server; without one, nobody does."},
    [CONFIG_KEY_SMTP_PASSWORD_FILE] =
        {.name = "password_file",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_PATH,
         .field = SEVERAL_FIELDS,
         .example = "/etc/exsyncd/smtp.password",
         .text = "A file that holds the account's password, as in a profile."},
    [CONFIG_KEY_SMTP_PASSWORD_CREDENTIAL] =
        {.name = "password_credential",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_CREDENTIAL,
         .field = SEVERAL_FIELDS,
         .example = "smtp.password",
         .text = "Instead of password_file: the systemd credential that holds the password."},
    [CONFIG_KEY_SMTP_TLS_CA_FILE] =
        {.name = "tls_ca_file",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_PATH,
         .field = SMTP_FIELD(tls_ca_file),
         .example = "/etc/ssl/certs/contoso-smtp-ca.pem",
         .text = "The certificates (PEM) that the server's must be signed by, instead of those "
                 "that the system trusts."},
    [CONFIG_KEY_SMTP_TLS_VERIFICATION] =
        {.name = "tls_verification",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_CHOICE,
         .field = SEVERAL_FIELDS,
         .initial = "full",
         .choices = {{"full", 1}, {"dangerously-disabled", 0}},
         .text = "Whether the server's certificate is checked. dangerously-disabled hands the "
                 "password and the notifications to anybody who stands in between."},
    [CONFIG_KEY_SMTP_FROM] =
        {.name = "from",
         .section = CONFIG_SECTION_SMTP,
         .kind = CONFIG_KIND_ADDRESS,
         .field = SMTP_FIELD(from),
         .example = "exsyncd@contoso.com",
         .text = "The address that notifications come from. Without this key: exsyncd at the name "
                 "in /etc/mailname, or at this machine's."},

    /* --- [mailbox-defaults], and [mailbox ADDRESS] too --- */

    [CONFIG_KEY_PROFILE] =
        {.name = "profile",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_PROFILE,
         .field = SEVERAL_FIELDS,
         .example = "contoso",
         .text = "The profile that the mailbox is on. May be left out when there is only one."},
    [CONFIG_KEY_INCOMING] = {.name = "incoming",
                             .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
                             .kind = CONFIG_KIND_BOOLEAN,
                             .field = MAILBOX_FIELD(incoming),
                             .initial = "yes",
                             .text = "Whether mail is taken from Exchange to this machine."},
    [CONFIG_KEY_OUTGOING] =
        {.name = "outgoing",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_BOOLEAN,
         .field = MAILBOX_FIELD(outgoing),
         .initial = "no",
         .text = "Whether mail that was put into the outbox is sent through Exchange as this "
                 "mailbox."},
    [CONFIG_KEY_SUBMITTERS] =
        {.name = "submitters",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_LIST,
         .field = SEVERAL_FIELDS,
         .initial = "root",
         .text =
             "The users of this machine who may send as this mailbox, with commas between them, "
             "by name or number; @GROUP means its members."},
    [CONFIG_KEY_FOLDERS] =
        {.name = "folders",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_FOLDERS,
         .field = SEVERAL_FIELDS,
         .initial = "Inbox",
         .text = "The folders that mail is taken from, with commas between them, such as Inbox, "
                 "Inbox/Orders. Rules that people have in Outlook move mail out of the Inbox "
                 "before it is seen there. A long list may be given in several lines of folders."},
    [CONFIG_KEY_DELIVER] =
        {.name = "deliver",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_MAILDIR,
         .field = SEVERAL_FIELDS,
         .initial = "maildir:/var/lib/exsyncd/mail/%d/%n",
         .text = "Where mail goes: the path of a Maildir, in which %u is the mailbox's address, %n "
                 "what stands before its @, %d what stands behind it, and %% a percent sign."},
    [CONFIG_KEY_DELIVER_GROUP] =
        {.name = "deliver_group",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_GROUP,
         .field = SEVERAL_FIELDS,
         .example = "mail",
         .text = "The group that the delivered files belong to, so that its members can read them; "
                 "by default the daemon's own."},
    [CONFIG_KEY_DELIVER_MODE] =
        {.name = "deliver_mode",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_MODE,
         .minimum = 0600,
         .maximum = 0666,
         .field = SEVERAL_FIELDS,
         .example = "0600",
         .text = "The mode of the delivered files, in octal. Without this key: 0600, or 0640 with "
                 "a deliver_group."},
    [CONFIG_KEY_LINE_ENDINGS] =
        {.name = "line_endings",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_CHOICE,
         .field = MAILBOX_FIELD(line_endings),
         .initial = "lf",
         .choices = {{"lf", CONFIG_LINE_ENDINGS_LF}, {"crlf", CONFIG_LINE_ENDINGS_CRLF}},
         .text = "How lines end in the delivered files: lf as Unix programs expect, crlf for the "
                 "bytes as Exchange gives them."},
    [CONFIG_KEY_AFTER_PROCESSING] =
        {.name = "after_processing",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_AFTER,
         .field = SEVERAL_FIELDS,
         .initial = "leave",
         .choices = {{"leave", CONFIG_AFTER_LEAVE},
                     {"mark_read", CONFIG_AFTER_MARK_READ},
                     {"move:FOLDER", CONFIG_AFTER_MOVE},
                     {"delete", CONFIG_AFTER_DELETE},
                     {"purge", CONFIG_AFTER_PURGE}},
         .text = "What happens in Exchange to a message once it is delivered. delete puts it into "
                 "Deleted Items, purge removes it for good."},
    [CONFIG_KEY_UNDELIVERABLE_FOLDER] =
        {.name = "undeliverable_folder",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_BOOLEAN,
         .field = MAILBOX_FIELD(undeliverable_folder),
         .initial = "no",
         .text = "Whether a message that cannot be delivered, for good or after item_attempts, is "
                 "moved to the mailbox's folder Undeliverable, which is made when it is missing. "
                 "One that somebody moves back is tried again."},
    [CONFIG_KEY_MAILBOX_PROCESS_FROM] =
        {.name = "process_email_from",
         .section = CONFIG_SECTION_MAILBOX_DEFAULTS,
         .kind = CONFIG_KIND_TIMESTAMP,
         .field = SEVERAL_FIELDS,
         .example = "2026-01-31",
         .text = "As in a profile, whose value holds when this one is not given."},

    /* --- [mailbox ADDRESS] --- */

    [CONFIG_KEY_RENAMED_FROM] =
        {.name = "renamed_from",
         .section = CONFIG_SECTION_MAILBOX,
         .kind = CONFIG_KIND_ADDRESS,
         .field = SEVERAL_FIELDS,
         .example = "anna.old@contoso.com",
         .text = "The address that the mailbox had before: its state is taken over, and nothing "
                 "is delivered twice."},
    [CONFIG_KEY_IDENTITY] =
        {.name = "identity",
         .section = CONFIG_SECTION_MAILBOX,
         .kind = CONFIG_KIND_IDENTITY,
         .field = SEVERAL_FIELDS,
         .example = "S-1-5-21-1004336348-1177238915-682003330-1103",
         .text = "What Exchange knows the mailbox by, when the profile's connecting_sid is sid "
                 "(then required) or upn (by default the address)."},
};

bool config_key_allowed(const struct config_key *key, enum config_section_kind section)
{
    return key->section == section ||
           (key->section == CONFIG_SECTION_MAILBOX_DEFAULTS && section == CONFIG_SECTION_MAILBOX);
}

const struct config_key *config_key_find(enum config_section_kind section, const char *name)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (config_key_allowed(&config_keys[i], section) && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    }
    return NULL;
}
