#include "daemon/remedy.h"

#include "base/memory.h"
#include "base/shell_word.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

/* --- values in PowerShell's double quotes --- */

/* How many bytes at `text` PowerShell takes for a double quote: the typographic ones are some, too.
 */
static size_t double_quote(const char *text)
{
    static const char *const quotes[] = {"\"", "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e"};
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        if (strncmp(text, quotes[i], strlen(quotes[i])) == 0)
            return strlen(quotes[i]);
    }
    return 0;
}

static void append_quoted(struct buffer *text, const char *value, size_t length)
{
    char *line = memory_allocate(length + 1);
    text_copy_line(line, length + 1, value, length);
    buffer_append_char(text, '"');
    for (const char *at = line; *at != '\0';) {
        size_t quote = double_quote(at);
        if (quote > 0 || *at == '`' || *at == '$')
            buffer_append_char(text, '`');
        size_t bytes = quote > 0 ? quote : 1;
        buffer_append(text, at, bytes);
        at += bytes;
    }
    buffer_append_char(text, '"');
    memory_free(line);
}

/* NAME"VALUE" */
static void append_value(struct buffer *text, const char *name, const char *value)
{
    buffer_append_string(text, name);
    append_quoted(text, value, strlen(value));
}

/* " -LDAPFilter:"(userPrincipalName=VALUE)"" */
static void append_filter(struct buffer *text, const char *value)
{
    struct buffer filter = {0};
    buffer_append_string(&filter, "(userPrincipalName=");
    for (; *value != '\0'; value++) {
        if (strchr("\\*()", *value) != NULL)
            buffer_append_format(&filter, "\\%02x", (unsigned char)*value);
        else
            buffer_append_char(&filter, *value);
    }
    buffer_append_char(&filter, ')');
    append_value(text, " -LDAPFilter:", filter.data);
    buffer_release(&filter);
}

/* --- the commands --- */

static bool has_mailbox(const struct remedy_place *place)
{
    return place->mailbox != NULL && place->mailbox[0] != '\0';
}

/* The account as the commands name it. Where it is not known, a word stands for it. */
static const char *account_of(struct buffer *text, const struct remedy_place *place)
{
    if (place->account != NULL)
        return place->account;
    buffer_append_string(
        text,
        "# In the place of ACCOUNT: the owner of the Kerberos ticket or key table that exsyncd "
        "signs in with (klist -k FILE shows whose a table is).\n");
    return "ACCOUNT";
}

static void write_role_check(struct buffer *text, const struct remedy_place *place)
{
    buffer_append_string(
        text, "Get-ManagementRoleAssignment -Role:ApplicationImpersonation -GetEffectiveUsers");
    if (has_mailbox(place))
        append_value(text, " -WritableRecipient:", place->mailbox);
    buffer_append_char(text, '\n');
}

/* `name`: of the assignment; two cannot have the same. */
static void write_grant(struct buffer *text, const char *name, const char *account,
                        const char *scope)
{
    buffer_append_format(text, "New-ManagementRoleAssignment -Name:%s", name);
    append_value(text, " -Role:ApplicationImpersonation -User:", account);
    buffer_append_string(text, scope);
    buffer_append_char(text, '\n');
}

static void write_member(struct buffer *text, const struct remedy_place *place)
{
    append_value(text, "Add-DistributionGroupMember -Identity:exsyncd -Member:", place->mailbox);
    buffer_append_char(text, '\n');
}

static void write_assignments(struct buffer *text, const char *account)
{
    buffer_append_string(text, "Get-ManagementRoleAssignment -Role:ApplicationImpersonation");
    append_value(text, " -RoleAssignee:", account);
    buffer_append_string(text, " | Format-List Name,CustomRecipientWriteScope\n");
}

/* What is there comes first: an account that has the role already is left out by its scope, and a
 * second assignment of the same name would only be refused. */
static void write_impersonation(struct buffer *text, const struct remedy_place *place)
{
    const char *account = account_of(text, place);
    buffer_append_string(text, "# What the account has:\n");
    write_assignments(text, account);
    buffer_append_string(text, "# If that shows nothing:\n");
    write_grant(text, "exsyncd", account, "");
    buffer_append_string(
        text, "# or only for some mailboxes, those of a group (write its distinguished name):\n"
              "New-ManagementScope -Name:exsyncd-mailboxes -RecipientRestrictionFilter:"
              "{MemberOfGroup -eq \"CN=exsyncd,OU=Groups,DC=contoso,DC=com\"}\n");
    write_grant(text, "exsyncd", account, " -CustomRecipientWriteScope:exsyncd-mailboxes");
    if (has_mailbox(place)) {
        buffer_append_string(text, "# If it shows a scope, put the mailbox into its group (write "
                                   "the group's name):\n");
        write_member(text, place);
    }
    buffer_append_string(text, "# to check:\n");
    write_role_check(text, place);
}

void remedy_write_check(struct buffer *text, const struct remedy_place *place)
{
    buffer_append_string(text, "# Who may impersonate the mailbox:\n");
    write_role_check(text, place);
}

/* The scope is somebody's decision: whether the mailbox belongs into it, or the account needs
 * another role assignment beside it, is theirs. */
void remedy_write_scope(struct buffer *text, const struct remedy_place *place)
{
    const char *account = account_of(text, place);
    buffer_append_string(text, "# The scope of the account's role, and which mailboxes it has:\n");
    write_assignments(text, account);
    buffer_append_string(text, "Get-ManagementScope | Format-List Name,RecipientFilter\n"
                               "# If it is a group, put the mailbox into it (write its name):\n");
    write_member(text, place);
    buffer_append_string(text, "# or grant the role without a scope:\n");
    write_grant(text, "exsyncd-all", account, "");
    remedy_write_check(text, place);
}

void remedy_write_server(struct buffer *text, const struct remedy_place *place)
{
    buffer_append_string(text, "# Where Exchange Web Services are:\n"
                               "Get-WebServicesVirtualDirectory | Format-List "
                               "Server,InternalUrl,ExternalUrl\n");
    if (!has_mailbox(place))
        return;
    buffer_append_string(text, "# On which server the mailbox is:\n");
    append_value(text, "Get-Mailbox -Identity:", place->mailbox);
    buffer_append_string(text, " | Format-List PrimarySmtpAddress,Database,ServerName\n");
}

static void write_authorization(struct buffer *text, const struct remedy_place *place)
{
    static const char policy[] =
        " | Format-List EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList\n";
    buffer_append_string(text, "# Whether the account may impersonate:\n");
    write_role_check(text, place);
    buffer_append_string(text, "# Whether Exchange Web Services are enabled:\n");
    buffer_append_format(text, "Get-OrganizationConfig%s", policy);
    if (!has_mailbox(place))
        return;
    append_value(text, "Get-CASMailbox -Identity:", place->mailbox);
    buffer_append_string(text, policy);
    buffer_append_string(text, "# To enable them for this mailbox:\n");
    append_value(text, "Set-CASMailbox -Identity:", place->mailbox);
    buffer_append_string(text, " -EwsEnabled:$true\n");
}

/* "Get-ADUser -Identity:"svc-sync" -Server:"CONTOSO"": Get-ADUser knows neither DOMAIN\NAME nor
 * user principal names as identities. */
static void write_user(struct buffer *text, const char *account)
{
    const char *backslash = strchr(account, '\\');
    buffer_append_string(text, "Get-ADUser");
    if (backslash == NULL && strchr(account, '@') != NULL) {
        append_filter(text, account);
        return;
    }
    append_value(text, " -Identity:", backslash == NULL ? account : backslash + 1);
    if (backslash != NULL && backslash != account) {
        buffer_append_string(text, " -Server:");
        append_quoted(text, account, (size_t)(backslash - account));
    }
}

static void write_authentication(struct buffer *text, const struct remedy_place *place)
{
    static const char properties[] = "LockedOut,PasswordExpired,AccountExpirationDate,Enabled";
    const char *account = account_of(text, place);
    buffer_append_string(text, "# Whether the account is locked, expired or disabled:\n");
    write_user(text, account);
    buffer_append_format(text, " -Properties %s | Format-List %s\n", properties, properties);
    buffer_append_string(text, "# To unlock it:\n");
    write_user(text, account);
    buffer_append_string(text, " | Unlock-ADAccount\n");
}

static void write_mailbox(struct buffer *text, const struct remedy_place *place)
{
    if (!has_mailbox(place))
        return;
    append_value(text, "Get-Mailbox -Identity:", place->mailbox);
    buffer_append_string(text, " | Format-List\n"
                               "# If there is none, the mailbox may be somewhere else:\n");
    append_value(text, "Get-MailUser -Identity:", place->mailbox);
    buffer_append_string(text, " | Format-List\n");
}

/* What is done for a mailbox by impersonation counts for the mailbox. */
static void write_throttling(struct buffer *text, const struct remedy_place *place)
{
    const char *whose = has_mailbox(place) ? place->mailbox : account_of(text, place);
    buffer_append_string(text, "# Which policy applies (none: the default one), and its values:\n");
    append_value(text, "Get-ThrottlingPolicyAssociation -Identity:", whose);
    buffer_append_string(text, " | Format-List ThrottlingPolicyId\n"
                               "Get-ThrottlingPolicy | Format-List Name,Ews*\n");
}

/* One that is still tried is told of by the same commands. */
static void write_message(struct buffer *text, const struct remedy_place *place)
{
    const char *id = place->message;
    if (id == NULL || id[0] == '\0')
        return;
    buffer_append_format(text,
                         "# The message, its file, and how it is sent again:\n"
                         "exsyncctl queue show %s\n"
                         "# To throw it away when it has failed, which ends this alert:\n"
                         "exsyncctl queue discard %s\n",
                         id, id);
}

void remedy_write_commands(struct buffer *text, enum failure_category category,
                           const struct remedy_place *place)
{
    if (place->scope == FAILURE_SCOPE_ITEM)
        write_message(text, place);
    else if (category == FAILURE_IMPERSONATION)
        write_impersonation(text, place);
    else if (category == FAILURE_AUTHORIZATION)
        write_authorization(text, place);
    else if (category == FAILURE_AUTHENTICATION)
        write_authentication(text, place);
    else if (category == FAILURE_MAILBOX)
        write_mailbox(text, place);
    else if (category == FAILURE_THROTTLING)
        write_throttling(text, place);
}

/* --- the words --- */

static const char tests_again[] = "exsyncd tests again by itself.";
static const char role_takes_a_while[] =
    "Exchange may take a while, and differ between servers, before a new role works; exsyncd tests "
    "again by itself.";
static const char others_go_on[] = "Other mail goes on.";

static bool has(const char *words, const char *part)
{
    return strstr(words, part) != NULL;
}

/* Whether a message's remedy has a way of its own in which it goes on. */
static bool message_goes_on(const char *words)
{
    return has(words, "submit it again") || has(words, "submit the message again") ||
           has(words, "Nothing needs to be done") || has(words, "nothing else is held up") ||
           has(words, tests_again);
}

/* How it goes on; "" when the words say it. */
static const char *ending_of(enum failure_category category, const char *words,
                             const struct remedy_place *place)
{
    if (place->scope == FAILURE_SCOPE_ITEM)
        return message_goes_on(words) ? "" : others_go_on;
    if (category == FAILURE_IMPERSONATION || category == FAILURE_AUTHORIZATION)
        return role_takes_a_while;
    return has(words, "tries again by itself") ? "" : tests_again;
}

/* The length of `words` without an ending that another one is put in the place of. */
static size_t length_without_ending(const char *words)
{
    static const char *const endings[] = {role_takes_a_while, tests_again,
                                          "Sync resumes by itself."};
    size_t length = strlen(words);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);
        if (length >= ending && strcmp(words + length - ending, endings[i]) == 0) {
            length -= ending;
            break;
        }
    }
    while (length > 0 && words[length - 1] == ' ')
        length--;
    return length;
}

/* A sign-in that was refused is tried at ever longer intervals, lest the account be locked; and a
 * password is read only when the configuration is. */
void remedy_write_sign_in(struct buffer *text, bool password, const char *profile,
                          const char *address)
{
    if (password && profile != NULL)
        buffer_append_format(
            text, "A new password goes into the file that password_file of [profile %s] names: ",
            profile);
    else if (password)
        buffer_append_string(text, "A new password goes into the file of password_file: ");
    buffer_append_string(text, password ? "exsyncctl reload takes it into use and tries it"
                                        : "exsyncctl reload takes a changed profile or ticket into "
                                          "use and tries it");
    if (password)
        buffer_append_string(text, " (one from password_credential: systemctl restart exsyncd)");
    buffer_append_string(text, ". Where the account was mended and nothing here has changed, "
                               "exsyncctl test ");
    if (address == NULL && profile != NULL)
        buffer_append_string(text, "--profile ");
    shell_word_append(text, address != NULL ? address : profile != NULL ? profile : "ADDRESS");
    buffer_append_string(text, " --sign-in tries it at once.");
}

static void write_own_try(struct buffer *text, const struct remedy_place *place)
{
    remedy_write_sign_in(text, place->account != NULL, place->profile,
                         has_mailbox(place) ? place->mailbox : NULL);
    buffer_append_char(text, ' ');
}

/* Whether there is no role, a scope, or a grant that is too new, only trying can tell. */
static void write_diagnosis(struct buffer *text, const struct remedy_place *place)
{
    buffer_append_string(text, "Which of the possible causes it is, exsyncctl diagnose ");
    shell_word_append(text, has_mailbox(place) ? place->mailbox : "ADDRESS");
    buffer_append_string(text, " finds out. ");
}

void remedy_write_words(struct buffer *text, enum failure_category category, const char *remedy,
                        const struct remedy_place *place)
{
    const char *words = remedy == NULL ? "" : remedy;
    const char *ending = ending_of(category, words, place);
    size_t length = ending[0] == '\0' ? strlen(words) : length_without_ending(words);
    buffer_append(text, words, length);
    if (length > 0 && ending[0] != '\0')
        buffer_append_string(text, words[length - 1] == '.' ? " " : ". ");
    if (category == FAILURE_AUTHENTICATION && place->scope == FAILURE_SCOPE_PROFILE &&
        ending[0] != '\0')
        write_own_try(text, place);
    else if (category == FAILURE_IMPERSONATION && place->scope != FAILURE_SCOPE_ITEM)
        write_diagnosis(text, place);
    buffer_append_string(text, ending);
}

void remedy_write(struct buffer *text, enum failure_category category, const char *remedy,
                  const struct remedy_place *place)
{
    size_t before = text->length;
    remedy_write_commands(text, category, place);
    if (text->length > before)
        buffer_append_char(text, '\n');
    remedy_write_words(text, category, remedy, place);
}
