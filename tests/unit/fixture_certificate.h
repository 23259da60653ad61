/* Certificates made when a test runs. */
#ifndef EXSYNC_TESTS_FIXTURE_CERTIFICATE_H
#define EXSYNC_TESTS_FIXTURE_CERTIFICATE_H

#include "fixture_server.h"

#include <openssl/ssl.h>

/* A server's context with a new key; writes the certificate to a new file and its name to `file`.
 */
SSL_CTX *fixture_certificate_create(const struct fixture_certificate *certificate, char *file,
                                    size_t size);

#endif
