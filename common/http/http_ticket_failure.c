#include "http/http_ticket.h"

#include <errno.h>
#include <profile.h>
#include <stdio.h>

static const char check_password[] =
    "Put the account's present password into the profile's password_file.";
static const char check_table[] =
    "Make the key table that KRB5_CLIENT_KTNAME names anew, from the account's present password.";
static const char make_table[] =
    "Make the key table that KRB5_CLIENT_KTNAME names anew (exsyncd(8) says how); klist -k FILE "
    "shows whether it can be read.";
static const char name_table[] =
    "Set KRB5_CLIENT_KTNAME of the service to the path of a key table, as exsyncd(8) says.";
static const char check_account[] =
    "Have the account unlocked, enabled or extended in the directory.";
static const char check_name[] =
    "Check the username of the profile, and default_realm in /etc/krb5.conf; or choose auth = "
    "ntlm.";
static const char check_service[] =
    "Use the name that the service account of Exchange is registered for in the url of the "
    "profile, register it (setspn -S HTTP/NAME ACCOUNT), or choose auth = ntlm.";
static const char check_kdc[] =
    "Check the domain controllers and the way to them (port 88, UDP and TCP), or choose auth = "
    "ntlm. Sync resumes by itself.";
static const char check_realm[] =
    "Set default_realm and the realm's KDCs in /etc/krb5.conf, or check the name service, which "
    "knows the KDCs of a domain; or choose auth = ntlm.";
static const char check_clock[] =
    "Set the clock of this machine by the same time service as the domain's.";
static const char check_cache[] =
    "Set username and password_file in the profile, or give the service a ticket cache "
    "(KRB5CCNAME) or a key table (KRB5_CLIENT_KTNAME), or choose auth = ntlm.";
static const char read_cache[] = "Let the service's user read the file that KRB5CCNAME names.";
static const char read_table[] =
    "Let the service's user read the file that KRB5_CLIENT_KTNAME names: chgrp exsyncd, chmod 640.";
static const char check_encryption[] =
    "Have the account use AES keys (and set its password anew), or allow the domain's encryption "
    "types in /etc/krb5.conf; or choose auth = ntlm.";
static const char check_config[] = "Correct /etc/krb5.conf.";
static const char check_server[] =
    "Check the domain controller and its event log. Sync resumes by itself.";
static const char free_memory[] = "Free memory or file descriptors on this machine.";
static const char check_other[] =
    "Check the account, /etc/krb5.conf and the domain controllers, or choose auth = ntlm.";

static const char wrong_password[] = "The KDC did not accept the account's password.";
static const char no_kdc[] = "No KDC of the account's realm could be reached.";
static const char no_ticket[] = "There is no Kerberos ticket to sign in with, and no key table.";
static const char bad_table[] = "The client key table is none that Kerberos can read.";
static const char bad_table_name[] = "The name of the client key table is none.";
static const char wrong_clock[] = "The clocks of this machine and of the KDC differ too much.";
static const char no_encryption[] =
    "The KDC and this machine have no encryption type in common for the account.";
static const char bad_config[] = "Kerberos is not set up as it should be on this machine.";

/* What a person can do something particular about. */
struct ticket_row {
    krb5_error_code code;
    const char *name;
    enum failure_category category;
    bool permanent;
    const char *sentence;
    const char *remedy;
};

#define ROW(code, category, permanent, sentence, remedy)             \
    {                                                                \
        code, #code, FAILURE_##category, permanent, sentence, remedy \
    }

static const struct ticket_row rows[] = {
    ROW(KRB5KDC_ERR_PREAUTH_FAILED, AUTHENTICATION, true, wrong_password, check_password),
    ROW(KRB5KRB_AP_ERR_BAD_INTEGRITY, AUTHENTICATION, true, wrong_password, check_password),
    ROW(KRB5KDC_ERR_KEY_EXP, AUTHENTICATION, true, "The account's password has expired.",
        "Set a new password for the account and put it into the profile's password_file."),
    ROW(KRB5KDC_ERR_CLIENT_REVOKED, AUTHENTICATION, true, "The account is locked or disabled.",
        check_account),
    ROW(KRB5KDC_ERR_NAME_EXP, AUTHENTICATION, true, "The account has expired.", check_account),
    ROW(KRB5KDC_ERR_CLIENT_NOTYET, AUTHENTICATION, true, "The account is not valid yet.",
        check_account),
    ROW(KRB5KDC_ERR_POLICY, AUTHENTICATION, true,
        "The domain's policy does not let the account sign in from here or now.", check_account),
    ROW(KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, AUTHENTICATION, true, "The KDC does not know the account.",
        check_name),
    ROW(KRB5_PARSE_MALFORMED, CONFIGURATION, true, "The username is none that Kerberos can use.",
        check_name),
    ROW(KRB5_PREAUTH_FAILED, AUTHENTICATION, true,
        "The KDC wants another proof than a password of the account.",
        "Let the account sign in with its password alone, or choose auth = ntlm."),
    ROW(KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, AUTHENTICATION, true,
        "The KDC does not know the server of the profile by this name.", check_service),
    ROW(KRB5KDC_ERR_MUST_USE_USER2USER, AUTHENTICATION, true,
        "The KDC does not know the server of the profile by this name.", check_service),
    ROW(KRB5_ERR_HOST_REALM_UNKNOWN, CONFIGURATION, true,
        "The realm of the profile's server is not known.", check_realm),
    ROW(KRB5_KDC_UNREACH, NETWORK, false, no_kdc, check_kdc),
    ROW(KRB5_REALM_CANT_RESOLVE, NETWORK, false, no_kdc, check_kdc),
    ROW(KRB5_REALM_UNKNOWN, NETWORK, false, "No KDC of the account's realm is known.", check_realm),
    ROW(KRB5_CONFIG_NODEFREALM, CONFIGURATION, true, "No Kerberos realm is set.", check_realm),
    ROW(KRB5KDC_ERR_WRONG_REALM, CONFIGURATION, true, "The account belongs to another realm.",
        check_name),
    ROW(KRB5KDC_ERR_SVC_UNAVAILABLE, NETWORK, false, "The KDC does not serve at the moment.",
        check_server),
    ROW(KRB5KRB_AP_ERR_SKEW, AUTHENTICATION, false, wrong_clock, check_clock),
    ROW(KRB5_KDCREP_SKEW, AUTHENTICATION, false, wrong_clock, check_clock),
    ROW(KRB5KRB_AP_ERR_TKT_NYV, AUTHENTICATION, false, wrong_clock, check_clock),
    ROW(KRB5KRB_AP_ERR_TKT_EXPIRED, AUTHENTICATION, true,
        "The Kerberos ticket of the service has expired.", check_cache),
    ROW(KRB5_FCC_NOFILE, AUTHENTICATION, true, no_ticket, check_cache),
    ROW(KRB5_CC_NOTFOUND, AUTHENTICATION, true, no_ticket, check_cache),
    ROW(KRB5_KT_NOTFOUND, AUTHENTICATION, true, no_ticket, check_cache),
    ROW(KRB5_KEYTAB_BADVNO, AUTHENTICATION, true, bad_table, make_table),
    ROW(KRB5_KT_FORMAT, AUTHENTICATION, true, bad_table, make_table),
    ROW(KRB5_KT_IOERR, AUTHENTICATION, true, bad_table, make_table),
    ROW(KRB5_KT_END, AUTHENTICATION, true, bad_table, make_table),
    ROW(KRB5_KT_KVNONOTFOUND, AUTHENTICATION, true,
        "The client key table has no key of the account that is recent enough.", make_table),
    ROW(KRB5_KT_BADNAME, AUTHENTICATION, true, bad_table_name, name_table),
    ROW(KRB5_KT_UNKNOWN_TYPE, AUTHENTICATION, true, bad_table_name, name_table),
    ROW(KRB5_KT_NAME_TOOLONG, AUTHENTICATION, true, bad_table_name, name_table),
    ROW(KRB5_FCC_PERM, AUTHENTICATION, true, "The ticket cache may not be read.", read_cache),
    ROW(EACCES, AUTHENTICATION, true, "The client key table may not be read.", read_table),
    ROW(KRB5KDC_ERR_ETYPE_NOSUPP, AUTHENTICATION, true, no_encryption, check_encryption),
    ROW(KRB5_PROG_ETYPE_NOSUPP, AUTHENTICATION, true, no_encryption, check_encryption),
    ROW(KRB5_CONFIG_ETYPE_NOSUPP, CONFIGURATION, true, no_encryption, check_encryption),
    ROW(KRB5_CONFIG_BADFORMAT, CONFIGURATION, true, bad_config, check_config),
    ROW(KRB5_CONFIG_CANTOPEN, CONFIGURATION, true, bad_config, check_config),
    ROW(PROF_SECTION_NOTOP, CONFIGURATION, true, bad_config, check_config),
    ROW(PROF_SECTION_SYNTAX, CONFIGURATION, true, bad_config, check_config),
    ROW(PROF_RELATION_SYNTAX, CONFIGURATION, true, bad_config, check_config),
    ROW(PROF_EXTRA_CBRACE, CONFIGURATION, true, bad_config, check_config),
    ROW(PROF_MISSING_OBRACE, CONFIGURATION, true, bad_config, check_config),
    ROW(ENOMEM, SERVER, false, "This machine has no memory left.", free_memory),
    ROW(EMFILE, SERVER, false, "Too many files are open.", free_memory),
};

/* What is not known may be a refusal: to go on trying could lock the account. */
static const struct ticket_row other = {
    0, "", FAILURE_AUTHENTICATION, true, "Signing in with Kerberos failed.", check_other,
};

static const struct ticket_row *find_row(krb5_error_code code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code)
            return &rows[i];
    }
    return &other;
}

/* What is wrong with the files that the account's key or ticket is taken from. */
static bool is_of_files(const struct ticket_row *row)
{
    return row->remedy == make_table || row->remedy == name_table || row->remedy == read_table ||
           row->remedy == check_cache || row->remedy == read_cache;
}

struct failure http_ticket_failure(krb5_error_code code, bool with_table, const char *text)
{
    const struct ticket_row *row = find_row(code);
    struct failure failure = {
        .category = row->category,
        .scope = row->category == FAILURE_SERVER ? FAILURE_SCOPE_SERVER : FAILURE_SCOPE_PROFILE,
        .permanent = row->permanent,
        .account_unasked = is_of_files(row),
        .sentence = row->sentence,
        .remedy = row->remedy,
    };
    if (with_table && row->remedy == check_password) {
        failure.sentence = "The KDC did not accept the key of the client key table.";
        failure.remedy = check_table;
    }
    char number[FAILURE_CODE_SIZE];
    snprintf(number, sizeof number, "KRB5 %ld", (long)code);
    failure_set_code(&failure, row->name[0] != '\0' ? row->name : number);
    failure_format_text(&failure, "%s", text);
    return failure;
}
