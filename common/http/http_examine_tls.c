#include "http/http_examine_tls.h"

#include "base/text.h"
#include "http/http_trust.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- one certificate --- */

static void write_name(char text[HTTP_NAME_SIZE], const X509_NAME *name)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    text[0] = '\0';
    if (memory == NULL)
        return;
    /* UTF-8, in the order in which people write it. */
    X509_NAME_print_ex(memory, name, 0,
                       (XN_FLAG_RFC2253 | XN_FLAG_SEP_CPLUS_SPC) & ~ASN1_STRFLGS_ESC_MSB);
    long length = BIO_get_mem_data(memory, &bytes);
    if (length > 0)
        text_copy_line(text, HTTP_NAME_SIZE, bytes, (size_t)length);
    BIO_free(memory);
}

static int64_t end_of(const X509 *certificate)
{
    struct tm end;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
        return INT64_MIN;
    return (int64_t)timegm(&end) * 1000;
}

static void take_certificate(struct http_examination *result, const X509 *certificate)
{
    if (result->certificate_count == HTTP_CERTIFICATES_MAX)
        return;
    struct http_certificate *taken = &result->certificates[result->certificate_count++];
    write_name(taken->subject, X509_get_subject_name(certificate));
    write_name(taken->issuer, X509_get_issuer_name(certificate));
    taken->not_after_ms = end_of(certificate);
}

static void append_name(char names[HTTP_NAME_SIZE], const unsigned char *name, int length)
{
    size_t used = strlen(names);
    if (length <= 0 || used + (size_t)length + 3 > HTTP_NAME_SIZE)
        return;
    if (used > 0)
        used += (size_t)snprintf(names + used, HTTP_NAME_SIZE - used, ", ");
    text_copy_line(names + used, HTTP_NAME_SIZE - used, (const char *)name, (size_t)length);
}

static void take_names(struct http_examination *result, const X509 *certificate)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_DNS)
            append_name(result->names, ASN1_STRING_get0_data(name->d.dNSName),
                        ASN1_STRING_length(name->d.dNSName));
    }
    GENERAL_NAMES_free(all);
}

/* --- the handshake --- */

/* OpenSSL asks for a verdict: what the server has shown is taken down, and the verdict is
 * OpenSSL's own. It asks also when nothing is to be checked, and does not heed it then. */
static int on_verify(X509_STORE_CTX *context, void *argument)
{
    struct http_examine_trust *trust = argument;
    struct http_examination *result = trust->result;
    STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(context);
    const X509 *own = X509_STORE_CTX_get0_cert(context);
    const SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    if (ssl != NULL)
        snprintf(result->tls, sizeof result->tls, "%s", SSL_get_version(ssl));
    result->certificate_count = 0;
    result->names[0] = '\0';
    if (own != NULL) {
        take_certificate(result, own);
        take_names(result, own);
    }
    for (int i = 1; i < sk_X509_num(shown); i++)
        take_certificate(result, sk_X509_value(shown, i));
    return X509_verify_cert(context);
}

void http_examine_trust_apply(struct http_examine_trust *trust, void *ssl_context)
{
    if (trust->store != NULL)
        SSL_CTX_set1_cert_store(ssl_context, trust->store);
    SSL_CTX_set_cert_verify_callback(ssl_context, on_verify, trust);
}

/* --- the authorities --- */

bool http_examine_trust_open(struct http_examine_trust *trust, struct http_examination *result,
                             const char *file, bool verify, char *error, size_t size)
{
    trust->result = result;
    if (!verify)
        return true;
    trust->store = http_trust_read(file, error, size);
    return trust->store != NULL;
}

void http_examine_trust_close(struct http_examine_trust *trust)
{
    X509_STORE_free(trust->store);
}

void http_examine_thread_end(void)
{
    OPENSSL_thread_stop();
}
