#include "fixture_certificate.h"

#include <assert.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60 };

static void add_names(X509 *x509, const char *host)
{
    char names[128];
    snprintf(names, sizeof names, "DNS:%s", host);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert(extension != NULL);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
    X509_NAME *name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
    X509_set_issuer_name(x509, name);
}

static X509 *sign(const struct fixture_certificate *certificate, EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    long until = certificate->expired ? -DAY_S : DAY_S;
    X509_gmtime_adj(X509_getm_notBefore(x509), -2L * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(x509), until);
    X509_set_pubkey(x509, key);
    add_names(x509, certificate->host);
    int signed_bytes = X509_sign(x509, key, EVP_sha256());
    assert(signed_bytes > 0);
    (void)signed_bytes;
    return x509;
}

SSL_CTX *fixture_certificate_create(const struct fixture_certificate *certificate, char *file,
                                    size_t size)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = sign(certificate, key);
    snprintf(file, size, "/tmp/exsyncd-test-XXXXXX");
    int descriptor = mkstemp(file);
    FILE *stream = fdopen(descriptor, "w");
    assert(stream != NULL);
    PEM_write_X509(stream, x509);
    fclose(stream);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, x509);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(x509);
    EVP_PKEY_free(key);
    return context;
}
