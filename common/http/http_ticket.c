#include "http/http_ticket.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <string.h>

enum {
    TGT_LEFT_S = 15,   /* a ticket in the default cache that ends sooner is as good as ended */
    NTLM_FOR_S = 3600, /* then it is looked for tickets again */
};

/* One sign-in. */
struct signing {
    krb5_context context;
    const char *host;
    const char *username;
    const struct secret *password;
    krb5_ccache work; /* holds the ticket-granting ticket; destroyed at the end */
    krb5_principal client;
    bool with_table;   /* the account's key is that of the key table */
    const char *words; /* instead of libkrb5's; NULL for none */
    char said[FAILURE_TEXT_SIZE];
};

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
static krb5_error_code parse_user_principal_name(struct signing *signing, const char *domain,
                                                 krb5_principal *client)
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

static krb5_error_code parse_username(struct signing *signing, krb5_principal *client,
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

/* --- the ticket-granting ticket, into signing->work --- */

/* Not krb5_get_init_creds_password: that asks the primary KDC after a refusal, and two refusals
 * count twice where accounts get locked. */
static krb5_error_code sign_in(struct signing *signing, krb5_principal client, bool enterprise,
                               krb5_keytab table)
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

static krb5_error_code sign_in_with_password(struct signing *signing)
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
static void describe_table(struct signing *signing, krb5_keytab table, krb5_error_code code)
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
static krb5_error_code sign_in_with_table(struct signing *signing, krb5_keytab table)
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

static bool is_ticket_granting(const krb5_creds *credentials)
{
    const krb5_principal server = credentials->server;
    return server->length > 0 && server->data[0].length == strlen(KRB5_TGS_NAME) &&
           memcmp(server->data[0].data, KRB5_TGS_NAME, strlen(KRB5_TGS_NAME)) == 0;
}

/* Seconds since 1970, until 2106 (krb5_timestamp is signed for historical reasons only). */
static int64_t seconds_of(krb5_timestamp time)
{
    return (int64_t)(uint32_t)time;
}

/* By the KDC's clock as far as it is known. */
static int64_t now_s(krb5_context context)
{
    krb5_timestamp now = 0;
    krb5_timeofday(context, &now);
    return seconds_of(now);
}

/* Copies the tickets that grant tickets, or the others. *end_s: when the last of them ends. */
static krb5_error_code copy_tickets(krb5_context context, krb5_ccache from, krb5_ccache to,
                                    bool granting, int64_t *end_s)
{
    krb5_cc_cursor cursor;
    krb5_creds each;
    *end_s = 0;
    krb5_error_code code = krb5_cc_start_seq_get(context, from, &cursor);
    if (code != 0)
        return code;
    krb5_error_code stored = 0;
    while (stored == 0 && (code = krb5_cc_next_cred(context, from, &cursor, &each)) == 0) {
        if (!krb5_is_config_principal(context, each.server) &&
            is_ticket_granting(&each) == granting) {
            stored = krb5_cc_store_cred(context, to, &each);
            if (seconds_of(each.times.endtime) > *end_s)
                *end_s = seconds_of(each.times.endtime);
        }
        krb5_free_cred_contents(context, &each);
    }
    krb5_cc_end_seq_get(context, from, &cursor);
    if (stored != 0)
        return stored;
    return code == KRB5_CC_END ? 0 : code;
}

static krb5_error_code take_from_default_cache(struct signing *signing)
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
        code = copy_tickets(context, source, signing->work, true, &end_s);
    if (code == 0 && end_s == 0)
        code = KRB5_CC_NOTFOUND;
    else if (code == 0 && end_s < now_s(context) + TGT_LEFT_S)
        code = KRB5KRB_AP_ERR_TKT_EXPIRED;
    krb5_cc_close(context, source);
    return code;
}

static krb5_error_code sign_in_without_password(struct signing *signing)
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

/* --- the service's ticket, into the ticket's own cache --- */

static krb5_error_code ask_for_service(struct signing *signing)
{
    krb5_context context = signing->context;
    krb5_creds wanted = {.client = signing->client};
    krb5_creds *granted = NULL;
    krb5_error_code code =
        krb5_sname_to_principal(context, signing->host, "HTTP", KRB5_NT_SRV_HST, &wanted.server);
    if (code == 0)
        code = krb5_get_credentials(context, 0, signing->work, &wanted, &granted);
    if (granted != NULL)
        krb5_free_creds(context, granted);
    krb5_free_principal(context, wanted.server);
    return code;
}

static krb5_error_code hand_over(struct signing *signing, struct http_ticket *ticket)
{
    krb5_context context = signing->context;
    int64_t end_s = 0;
    krb5_error_code code = krb5_cc_initialize(context, ticket->cache, signing->client);
    if (code == 0)
        code = copy_tickets(context, signing->work, ticket->cache, false, &end_s);
    int64_t now = now_s(context);
    ticket->remaining_s = end_s > now ? end_s - now : 0;
    return code;
}

/* --- GSSAPI --- */

static void describe_status(char *room, size_t size, OM_uint32 status, int type)
{
    OM_uint32 minor;
    OM_uint32 more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    if (gss_display_status(&minor, status, type, gss_mech_krb5, &more, &text) == GSS_S_COMPLETE)
        snprintf(room, size, "%.*s", (int)text.length, (const char *)text.value);
    gss_release_buffer(&minor, &text);
}

/* A first leg, as libcurl makes it. */
static OM_uint32 make_token(OM_uint32 *minor, const char *host, gss_OID mechanism)
{
    OM_uint32 ignored;
    char service[512];
    snprintf(service, sizeof service, "HTTP@%s", host);
    gss_buffer_desc text = {.length = strlen(service), .value = service};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    gss_name_t name = GSS_C_NO_NAME;
    gss_ctx_id_t exchange = GSS_C_NO_CONTEXT;
    OM_uint32 major = gss_import_name(minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name);
    if (!GSS_ERROR(major))
        major = gss_init_sec_context(minor, GSS_C_NO_CREDENTIAL, &exchange, name, mechanism,
                                     GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &token, NULL,
                                     NULL);
    gss_delete_sec_context(&ignored, &exchange, GSS_C_NO_BUFFER);
    gss_release_buffer(&ignored, &token);
    gss_release_name(&ignored, &name);
    return major;
}

/* Does once what libcurl will do on the loop: what GSSAPI would object to is found here, where it
 * can be told, and its libraries are loaded here and not there. */
static krb5_error_code rehearse(struct signing *signing, const struct http_ticket *ticket)
{
    static char spnego_bytes[] = "\x2b\x06\x01\x05\x05\x02";
    gss_OID_desc spnego = {.length = sizeof spnego_bytes - 1, .elements = spnego_bytes};
    OM_uint32 minor = 0;
    OM_uint32 ignored;
    gss_krb5_ccache_name(&ignored, ticket->cache_name, NULL);
    OM_uint32 major = make_token(&minor, signing->host, gss_mech_krb5);
    if (GSS_ERROR(major)) {
        describe_status(signing->said, sizeof signing->said, minor, GSS_C_MECH_CODE);
        signing->words = signing->said;
    } else {
        make_token(&ignored, signing->host, &spnego); /* loads what else there is, as for NTLM */
    }
    gss_krb5_ccache_name(&ignored, NULL, NULL);
    if (!GSS_ERROR(major))
        return 0;
    if (minor == (OM_uint32)KRB5KRB_AP_ERR_TKT_EXPIRED) /* it was granted just now */
        return KRB5KRB_AP_ERR_SKEW;
    return minor != 0 ? (krb5_error_code)minor : (krb5_error_code)KRB5_CC_NOTFOUND;
}

/* MS-NLMP inside Negotiate, by a library that has credentials of its own (NTLM_USER_FILE). */
static bool can_do_ntlm(void)
{
    static char ntlmssp[] = "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";
    gss_OID_desc mechanism = {.length = sizeof ntlmssp - 1, .elements = ntlmssp};
    gss_OID_set_desc set = {.count = 1, .elements = &mechanism};
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    OM_uint32 minor;
    OM_uint32 major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &set,
                                       GSS_C_INITIATE, &credential, NULL, NULL);
    gss_release_cred(&minor, &credential);
    return major == GSS_S_COMPLETE;
}

static bool is_nothing_there(krb5_error_code code)
{
    return code == KRB5_FCC_NOFILE || code == KRB5_CC_NOTFOUND || code == KRB5_KT_NOTFOUND ||
           code == KRB5_CONFIG_NODEFREALM;
}

/* --- the whole --- */

static krb5_error_code open_caches(struct signing *signing, struct http_ticket *ticket)
{
    krb5_context context = signing->context;
    char *name = NULL;
    krb5_error_code code = krb5_cc_new_unique(context, "MEMORY", NULL, &signing->work);
    if (code == 0)
        code = krb5_cc_new_unique(context, "MEMORY", NULL, &ticket->cache);
    if (code == 0)
        code = krb5_cc_get_full_name(context, ticket->cache, &name);
    if (code == 0)
        ticket->cache_name = memory_copy_string(name);
    krb5_free_string(context, name);
    return code;
}

static krb5_error_code get(struct signing *signing, struct http_ticket *ticket)
{
    krb5_error_code code = open_caches(signing, ticket);
    if (code != 0)
        return code;
    if (signing->password != NULL)
        code = sign_in_with_password(signing);
    else
        code = sign_in_without_password(signing);
    if (signing->password == NULL && is_nothing_there(code) && can_do_ntlm()) {
        ticket->remaining_s = NTLM_FOR_S;
        return 0;
    }
    if (code == 0)
        code = ask_for_service(signing);
    if (code == 0)
        code = hand_over(signing, ticket);
    if (code == 0)
        code = rehearse(signing, ticket);
    return code;
}

static struct failure describe_failure(const struct signing *signing, krb5_error_code code)
{
    if (signing->words != NULL)
        return http_ticket_failure(code, signing->with_table, signing->words);
    const char *words = krb5_get_error_message(signing->context, code);
    struct failure failure = http_ticket_failure(code, signing->with_table, words);
    krb5_free_error_message(signing->context, words);
    return failure;
}

bool http_ticket_get(const char *host, const char *username, const struct secret *password,
                     struct http_ticket *ticket, struct failure *failure)
{
    struct signing signing = {.host = host, .username = username, .password = password};
    *ticket = (struct http_ticket){0};
    krb5_error_code code = krb5_init_context(&signing.context);
    if (code != 0) {
        *failure = http_ticket_failure(code, false, "");
        return false;
    }
    ticket->context = signing.context;
    code = get(&signing, ticket);
    if (code != 0)
        *failure = describe_failure(&signing, code);
    krb5_free_principal(signing.context, signing.client);
    if (signing.work != NULL)
        krb5_cc_destroy(signing.context, signing.work);
    if (code != 0)
        http_ticket_release(ticket);
    return code == 0;
}

void http_ticket_release(struct http_ticket *ticket)
{
    if (ticket->context == NULL)
        return;
    if (ticket->cache != NULL)
        krb5_cc_destroy(ticket->context, ticket->cache);
    krb5_free_context(ticket->context);
    memory_free(ticket->cache_name);
    *ticket = (struct http_ticket){0};
}
