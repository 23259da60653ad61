/* Looking at a server from outside, without credentials: its name, its address, its certificate,
 * and which ways of signing in it offers.
 *
 *   examination  one look, in stages; it ends with the first stage that fails
 *   stage        what can fail for a reason of its own
 *
 * The certificate is told also when it is not trusted, and when a profile wants none to be checked.
 * No sign-in is spent: nobody's name is sent. It runs on a thread of its own pool, since a look-up
 * may block. */
#ifndef EXSYNC_HTTP_HTTP_EXAMINE_H
#define EXSYNC_HTTP_HTTP_EXAMINE_H

#include "base/failure.h"
#include "http/http.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_EXAMINE_THREADS = 4,
    HTTP_CERTIFICATES_MAX = 8, /* of a chain */
    HTTP_NAME_SIZE = 256,
    HTTP_WAYS_SIZE = 256,
    HTTP_ADDRESSES_SIZE = 512,
};

enum http_stage {
    HTTP_STAGE_NAME,       /* from the server's name to its addresses */
    HTTP_STAGE_CONNECTION, /* TCP */
    HTTP_STAGE_TLS,        /* passed over with an http url */
    HTTP_STAGE_ANSWER,     /* HTTP: any answer passes; what it means is the caller's to say */
    HTTP_STAGE_COUNT,
};

struct http_certificate {
    char subject[HTTP_NAME_SIZE]; /* "CN=mail.example.com, O=Example" */
    char issuer[HTTP_NAME_SIZE];
    int64_t not_after_ms; /* wall time; INT64_MIN: it cannot be read */
};

struct http_examination {
    enum http_stage ended; /* the stage that failed; HTTP_STAGE_COUNT: none did */
    struct failure failure;
    uint32_t elapsed_ms[HTTP_STAGE_COUNT];

    char host[HTTP_NAME_SIZE];
    char addresses[HTTP_ADDRESSES_SIZE]; /* all of the name's, with ", " between them */
    char address[64];                    /* the one that answered, with the port */

    bool encrypted;
    char tls[32];                                                /* "TLSv1.3" */
    struct http_certificate certificates[HTTP_CERTIFICATES_MAX]; /* the server's own comes first */
    unsigned certificate_count;
    char names[HTTP_NAME_SIZE]; /* those that the server's certificate is for */
    long verify_result;         /* OpenSSL's, X509_V_OK: trusted */

    uint16_t status;
    char location[HTTP_NAME_SIZE]; /* of a redirection; "" */
    char ways[HTTP_WAYS_SIZE];     /* of signing in, as the server names them: "Negotiate, NTLM" */
    bool offers[HTTP_AUTH_NEGOTIATE + 1]; /* by enum http_auth */
};

/* What struct http_pool_settings has of these. Copied. */
struct http_examine_settings {
    const char *url;
    const char *tls_ca_file;
    bool tls_verify;
    const char *user_agent;
    uint64_t connect_timeout_ms;
    uint64_t answer_timeout_ms;
};

struct http_examiner;

typedef void http_examined(void *argument, const struct http_examination *examination);

/* Exactly one `done`, from the loop, never from within the start. */
struct http_examiner *http_examine_start(struct http_client *client,
                                         const struct http_examine_settings *settings,
                                         http_examined *done, void *argument);

/* `done` is not called; the look ends by itself and is forgotten. */
void http_examine_cancel(struct http_examiner *examiner);

#endif
