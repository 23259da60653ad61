#include "config/config_manual.h"

#include "config/config_example.h"
#include "config/config_keys.h"

#include <string.h>

static const char head[] = ".\\\" Written out of common/config/config_keys.c; a test compares "
                           "them. Change that file, and\n"
                           ".\\\" then: test_config_manual --write docs/exsyncd.conf.5\n"
                           ".Dd November 26, 2026\n"
                           ".Dt EXSYNCD.CONF 5\n"
                           ".Os\n"
                           ".Sh NAME\n"
                           ".Nm exsyncd.conf\n"
                           ".Nd configuration of the Exchange mailbox sync daemon\n"
                           ".Sh DESCRIPTION\n"
                           ".Nm\n"
                           "says which Exchange mailboxes\n"
                           ".Xr exsyncd 8\n"
                           "keeps in step with this machine, and how.\n"
                           ".Pp\n"
                           "The files of\n"
                           ".Pa conf.d\n"
                           "beside it that end in\n"
                           ".Pa .conf\n"
                           "are read after it, in the order of their names.\n"
                           "They may open any section, but nothing may be given twice.\n"
                           ".Ql exsyncd --check-config\n"
                           "reports every mistake with file, line and key;\n"
                           ".Ql exsyncctl reload ,\n"
                           "or the signal\n"
                           ".Dv SIGHUP ,\n"
                           "takes the files into use.\n"
                           "Files with a mistake change nothing.\n"
                           ".Ss Syntax\n";

static const char kinds[] =
    ".Ss Values\n"
    ".Bl -tag -width Ds\n"
    ".It Ar yes | no\n"
    "may also be written true and false, on and off, 1 and 0.\n"
    ".It Ar duration\n"
    "has a unit: 500ms, 30s, 5m, 1h, 90d, 2w, or several: 1h 30m.\n"
    ".It Ar size\n"
    "is in bytes or has a unit: KB, MB and GB count in thousands, KiB, MiB and GiB (or K, M and "
    "G)\n"
    "in 1024s.\n"
    ".It Ar list\n"
    "has commas between its members; its key may be given in several lines.\n"
    ".It Ar path\n"
    "begins with a slash.\n"
    ".It Ar time\n"
    "is now, a date such as 2026-01-31, or 2026-01-31T08:00:00Z.\n"
    ".It Ar address\n"
    "is written as in anna@contoso.com.\n"
    ".El\n"
    ".Sh SECTIONS AND KEYS\n"
    "A key that is left out has the value that stands behind\n"
    ".Dq Default .\n";

static const char tail[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa /etc/exsyncd/exsyncd.conf\n"
    "The configuration, unless\n"
    ".Xr exsyncd 8\n"
    "is told another file by\n"
    ".Fl -config .\n"
    ".It Pa /etc/exsyncd/conf.d/*.conf\n"
    "Read after it, in the order of their names.\n"
    ".It Pa /usr/share/doc/exsyncd/exsyncd.conf\n"
    "All keys with their defaults, as comments.\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    "Two mailboxes that receive; the second one also sends what root and the user\n"
    ".Sy www-data\n"
    "submit:\n"
    ".Bd -literal -offset indent\n"
    "[profile Contoso]\n"
    "url = https://mail.contoso.com/EWS/Exchange.asmx\n"
    "auth = ntlm\n"
    "username = CONTOSO\\esvc-sync\n"
    "password_file = /etc/exsyncd/password\n"
    "owner = postmaster@contoso.com\n"
    "\n"
    "[mailbox support@contoso.com]\n"
    "folders = Inbox, Inbox/Orders\n"
    "after_processing = mark_read\n"
    "\n"
    "[mailbox sales@contoso.com]\n"
    "outgoing = yes\n"
    "submitters = root, www-data\n"
    ".Ed\n"
    ".Pp\n"
    "The owner is told by another mail server than the Exchange that fails:\n"
    ".Bd -literal -offset indent\n"
    "[profile Contoso]\n"
    "notify = exchange, smtp\n"
    "\n"
    "[smtp]\n"
    "url = smtp://localhost:25\n"
    "starttls = offered\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr exsync-submit 8 ,\n"
    ".Xr exsyncctl 8 ,\n"
    ".Xr exsyncd 8\n"
    ".Sh SECURITY CONSIDERATIONS\n"
    "No password stands in these files: a key names the file or the systemd credential that holds\n"
    "it.\n"
    "A password file that others may read is refused: it has mode 0600, or 0640 when it belongs "
    "to\n"
    "root and to a user's own group, as exsyncd is.\n"
    ".Pp\n"
    "Who may write these files decides who sends as whom\n"
    ".Pq Cm submitters ,\n"
    "where mail is written\n"
    ".Pq Cm deliver ,\n"
    "and which program runs with the daemon's rights\n"
    ".Pq Cm notify_command .\n"
    "Leave them to root.\n";

enum { LINE_WIDTH = 90 };

/* What would be read as mdoc is written so that it stands for itself. */
static void write_word(struct buffer *page, const char *word, size_t length, bool starts_line)
{
    if (starts_line && (word[0] == '.' || word[0] == '\''))
        buffer_append_string(page, "\\&");
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '\\')
            buffer_append_string(page, "\\e");
        else
            buffer_append_char(page, word[i]);
    }
}

static bool ends_sentence(const char *word, size_t length)
{
    while (length > 1 && (word[length - 1] == ')' || word[length - 1] == '"'))
        length--;
    return length > 1 && strchr(".!?", word[length - 1]) != NULL;
}

/* Lines of text, a new one for each sentence. */
static void write_text(struct buffer *page, const char *text)
{
    size_t column = 0;
    bool full = false;
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (column > 0 && (full || column + 1 + length > LINE_WIDTH)) {
            buffer_append_char(page, '\n');
            column = 0;
        }
        if (column > 0)
            buffer_append_char(page, ' ');
        write_word(page, text, length, column == 0);
        column += length + 1;
        full = ends_sentence(text, length);
        text += length;
        if (*text == '\n') {
            buffer_append_string(page, "\n.Pp");
            full = true;
        }
        if (*text != '\0')
            text++;
    }
    buffer_append_char(page, '\n');
}

/* In quotes, so that no word of it is taken for a macro. */
static void write_argument(struct buffer *page, const char *value)
{
    buffer_append_string(page, " \"");
    for (; *value != '\0'; value++) {
        if (*value == '"')
            buffer_append_string(page, "\"\"");
        else
            write_word(page, value, 1, false);
    }
    buffer_append_char(page, '"');
}

/* --- keys --- */

/* NULL where the choices say it. */
static const char *kind_name(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_KIND_BOOLEAN:
        return "yes | no";
    case CONFIG_KIND_NUMBER:
        return "number";
    case CONFIG_KIND_DURATION:
        return "duration";
    case CONFIG_KIND_DURATIONS:
        return "durations";
    case CONFIG_KIND_SIZE:
        return "size";
    case CONFIG_KIND_TEXT:
        return "text";
    case CONFIG_KIND_PATH:
        return "path";
    case CONFIG_KIND_ADDRESS:
        return "address";
    case CONFIG_KIND_URL:
    case CONFIG_KIND_SMTP_URL:
        return "URL";
    case CONFIG_KIND_COMMAND:
        return "program and words";
    case CONFIG_KIND_CREDENTIAL:
        return "credential";
    case CONFIG_KIND_TIMESTAMP:
        return "time";
    case CONFIG_KIND_FOLDERS:
    case CONFIG_KIND_LIST:
        return "list";
    case CONFIG_KIND_MAILDIR:
        return "maildir:path";
    case CONFIG_KIND_GROUP:
        return "group";
    case CONFIG_KIND_MODE:
        return "mode";
    case CONFIG_KIND_PROFILE:
        return "profile";
    case CONFIG_KIND_IDENTITY:
        return "identity";
    case CONFIG_KIND_SOCKET:
        return "path | none";
    case CONFIG_KIND_CHOICE:
    case CONFIG_KIND_AFTER:
        break;
    }
    return NULL;
}

static void write_title(struct buffer *page, const struct config_key *key)
{
    const char *kind = kind_name(key->kind);
    buffer_append_format(page, ".It Cm %s No = Ar", key->name);
    if (kind != NULL) {
        write_argument(page, kind);
    } else {
        for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++)
            buffer_append_format(page, "%s \"%s\"", choice == key->choices ? "" : " |",
                                 choice->name);
    }
    buffer_append_char(page, '\n');
}

/* The choices stand in the title. */
static bool has_range(const struct config_key *key)
{
    return key->kind != CONFIG_KIND_CHOICE && key->kind != CONFIG_KIND_AFTER;
}

static void write_key(struct buffer *page, const struct config_key *key)
{
    struct buffer range = {0};
    write_title(page, key);
    write_text(page, key->text);
    if (has_range(key))
        config_example_write_range(key, &range);
    if (range.length > 0)
        write_text(page, range.data);
    buffer_release(&range);
    buffer_append_string(page, key->initial != NULL ? "Default:\n.Ql" : "For example:\n.Ql");
    write_argument(page, key->initial != NULL ? key->initial : key->example);
    buffer_append_string(page, " .\n");
}

static void write_section(struct buffer *page, enum config_section_kind kind)
{
    const struct config_section_description *section = &config_sections[kind];
    buffer_append_format(page, ".Ss [%s%s%s]\n", section->keyword, section->name != NULL ? " " : "",
                         section->name != NULL ? section->name : "");
    write_text(page, section->text);
    buffer_append_string(page, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (config_keys[i].section == kind)
            write_key(page, &config_keys[i]);
    }
    buffer_append_string(page, ".El\n");
}

void config_manual_write(struct buffer *page)
{
    buffer_append_string(page, head);
    write_text(page, config_example_syntax);
    buffer_append_string(page, kinds);
    for (size_t section = 0; section < CONFIG_SECTION_COUNT; section++)
        write_section(page, (enum config_section_kind)section);
    buffer_append_string(page, tail);
}
