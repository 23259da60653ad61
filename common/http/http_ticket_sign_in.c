#include "http/http_ticket_private.h"

#include "base/buffer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A ticket in the default cache that ends sooner is as good as ended. */
enum { TGT_LEFT_S = 15 };

/* --- names --- */

static bool has_small_letter(const char *text)
{
    for (; *text != '\0'; text++) {
        if (islower((unsigned char)*text))
            return true;
    }
    return false;
}

/* A user principal name looks like the mail address that it often is. */
static krb5_error_code parse_user_principal_name(struct http_ticket_signing *signing,
                                                 const char *domain, krb5_principal *client)
{
    struct buffer name = {0};
    char *realm = NULL;
    buffer_append_string(&name, signing->username);
    if (krb5_get_default_realm(signing->context, &realm) != 0) {
        buffer_append_char(&name, '@');
        for (; *domain != '\0'; domain++)
            buffer_append_char(&name, (char)toupper((unsigned char)*domain));
    } else {
        krb5_free_default_realm(signing->context, realm);
    }
    krb5_error_code code = krb5_parse_name_flags(signing->context, buffer_string(&name),
                                                 KRB5_PRINCIPAL_PARSE_ENTERPRISE, client);
    buffer_release(&name);
    return code;
}

static krb5_error_code parse_username(struct http_ticket_signing *signing, krb5_principal *client,
                                      bool *enterprise)
{
    const char *at = strrchr(signing->username, '@');
    const char *backslash = strchr(signing->username, '\\');
    *enterprise = at != NULL && backslash == NULL && has_small_letter(at + 1);
    if (*enterprise)
        return parse_user_principal_name(signing, at + 1, client);
    const char *name = backslash != NULL ? backslash + 1 : signing->username;
    return krb5_parse_name(signing->context, name, client);
}

/* --- with a password or a key table --- */

/* Not krb5_get_init_creds_password: that asks the primary KDC after a refusal, and two refusals
 * count twice where accounts get locked. */
static krb5_error_code sign_in(struct http_ticket_signing *signing, krb5_principal client,
                               bool enterprise, krb5_keytab table)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_init_creds_context exchange = NULL;
    krb5_creds granted = {0};
    krb5_context context = signing->context;
    krb5_error_code code = krb5_get_init_creds_opt_alloc(context, &options);
    if (code != 0)
        return code;
    krb5_get_init_creds_opt_set_canonicalize(options, enterprise);
    krb5_get_init_creds_opt_set_forwardable(options, 0);
    krb5_get_init_creds_opt_set_proxiable(options, 0);
    code = krb5_init_creds_init(context, client, NULL, NULL, 0, options, &exchange);
    if (code == 0 && table != NULL)
        code = krb5_init_creds_set_keytab(context, exchange, table);
    else if (code == 0)
        code = krb5_init_creds_set_password(context, exchange, secret_reveal(signing->password));
    if (code == 0)
        code = krb5_init_creds_get(context, exchange);
    if (code == 0)
        code = krb5_init_creds_get_creds(context, exchange, &granted);
    if (code == 0)
        code = krb5_cc_initialize(context, signing->work, granted.client);
    if (code == 0)
        code = krb5_cc_store_cred(context, signing->work, &granted);
    if (code == 0)
        code = krb5_copy_principal(context, granted.client, &signing->client);
    krb5_free_cred_contents(context, &granted);
    krb5_init_creds_free(context, exchange);
    krb5_get_init_creds_opt_free(context, options);
    return code;
}

static krb5_error_code sign_in_with_password(struct http_ticket_signing *signing)
{
    krb5_principal client = NULL;
    bool enterprise;
    krb5_error_code code = parse_username(signing, &client, &enterprise);
    if (code == 0)
        code = sign_in(signing, client, enterprise, NULL);
    krb5_free_principal(signing->context, client);
    return code;
}

/* libkrb5 says why, but not of which file. */
static void describe_table(struct http_ticket_signing *signing, krb5_keytab table,
                           krb5_error_code code)
{
    char name[FAILURE_TEXT_SIZE / 2] = "";
    const char *words = krb5_get_error_message(signing->context, code);
    krb5_kt_get_name(signing->context, table, name, sizeof name);
    snprintf(signing->said, sizeof signing->said, "%s: %s", name, words);
    krb5_free_error_message(signing->context, words);
    signing->words = signing->said;
}

/* As the principal of the table's first entry, which is what GSSAPI does. KRB5_KT_NOTFOUND: there
 * is no table, or none in it. */
static krb5_error_code sign_in_with_table(struct http_ticket_signing *signing, krb5_keytab table)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_context context = signing->context;
    krb5_error_code code = krb5_kt_start_seq_get(context, table, &cursor);
    if (code == 0) {
        code = krb5_kt_next_entry(context, table, &entry, &cursor);
        krb5_kt_end_seq_get(context, table, &cursor);
    }
    if (code == ENOENT || code == KRB5_KT_END)
        return KRB5_KT_NOTFOUND;
    if (code != 0) {
        describe_table(signing, table, code);
        return code;
    }
    signing->with_table = true;
    code = sign_in(signing, entry.principal, false, table);
    krb5_free_keytab_entry_contents(context, &entry);
    return code;
}

/* --- with what is there --- */

static krb5_error_code take_from_default_cache(struct http_ticket_signing *signing)
{
    krb5_ccache source;
    krb5_context context = signing->context;
    krb5_error_code code = krb5_cc_default(context, &source);
    if (code != 0)
        return code;
    int64_t end_s = 0;
    code = krb5_cc_get_principal(context, source, &signing->client);
    if (code == 0)
        code = krb5_cc_initialize(context, signing->work, signing->client);
    if (code == 0)
        code = http_ticket_copy(context, source, signing->work, true, &end_s);
    if (code == 0 && end_s == 0)
        code = KRB5_CC_NOTFOUND;
    else if (code == 0 && end_s < http_ticket_now_s(context) + TGT_LEFT_S)
        code = KRB5KRB_AP_ERR_TKT_EXPIRED;
    krb5_cc_close(context, source);
    return code;
}

static krb5_error_code sign_in_without_password(struct http_ticket_signing *signing)
{
    krb5_context context = signing->context;
    krb5_error_code code = take_from_default_cache(signing);
    if (code == 0)
        return 0;
    krb5_free_principal(context, signing->client);
    signing->client = NULL;
    krb5_keytab table;
    if (krb5_kt_client_default(context, &table) != 0)
        return code;
    krb5_error_code of_table = sign_in_with_table(signing, table);
    krb5_kt_close(context, table);
    return of_table == KRB5_KT_NOTFOUND ? code : of_table;
}

krb5_error_code http_ticket_sign_in(struct http_ticket_signing *signing)
{
    if (signing->password != NULL)
        return sign_in_with_password(signing);
    return sign_in_without_password(signing);
}
