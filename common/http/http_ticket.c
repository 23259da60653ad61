#include "http/http_ticket_private.h"

#include "base/memory.h"

/* Without a ticket of its own, it is looked for tickets again after this time. */
enum { NTLM_FOR_S = 3600 };

/* --- the service's ticket, into the ticket's own cache --- */

static krb5_error_code ask_for_service(struct http_ticket_signing *signing)
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

static krb5_error_code hand_over(struct http_ticket_signing *signing, struct http_ticket *ticket)
{
    krb5_context context = signing->context;
    int64_t end_s = 0;
    krb5_error_code code = krb5_cc_initialize(context, ticket->cache, signing->client);
    if (code == 0)
        code = http_ticket_copy(context, signing->work, ticket->cache, false, &end_s);
    int64_t now = http_ticket_now_s(context);
    ticket->remaining_s = end_s > now ? end_s - now : 0;
    return code;
}

/* --- the whole --- */

static krb5_error_code open_caches(struct http_ticket_signing *signing, struct http_ticket *ticket)
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

static bool is_nothing_there(krb5_error_code code)
{
    return code == KRB5_FCC_NOFILE || code == KRB5_CC_NOTFOUND || code == KRB5_KT_NOTFOUND ||
           code == KRB5_CONFIG_NODEFREALM;
}

static krb5_error_code get(struct http_ticket_signing *signing, struct http_ticket *ticket)
{
    krb5_error_code code = open_caches(signing, ticket);
    if (code != 0)
        return code;
    code = http_ticket_sign_in(signing);
    if (signing->password == NULL && is_nothing_there(code) && http_ticket_can_do_ntlm()) {
        ticket->remaining_s = NTLM_FOR_S;
        return 0;
    }
    if (code == 0)
        code = ask_for_service(signing);
    if (code == 0)
        code = hand_over(signing, ticket);
    if (code == 0)
        code = http_ticket_rehearse(signing, ticket);
    return code;
}

static struct failure describe_failure(const struct http_ticket_signing *signing,
                                       krb5_error_code code)
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
    struct http_ticket_signing signing = {.host = host, .username = username, .password = password};
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
