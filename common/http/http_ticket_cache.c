#include "http/http_ticket_private.h"

#include <string.h>

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

int64_t http_ticket_now_s(krb5_context context)
{
    krb5_timestamp now = 0;
    krb5_timeofday(context, &now);
    return seconds_of(now);
}

krb5_error_code http_ticket_copy(krb5_context context, krb5_ccache from, krb5_ccache to,
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
