#include "http/http_ticket_private.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <string.h>

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

krb5_error_code http_ticket_rehearse(struct http_ticket_signing *signing,
                                     const struct http_ticket *ticket)
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

bool http_ticket_can_do_ntlm(void)
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
