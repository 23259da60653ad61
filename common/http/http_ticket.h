/* Kerberos tickets for one server: got on a thread, used on the loop.
 *
 * libcurl calls GSSAPI on the loop, and GSSAPI asks the KDC for what it does not find in the cache
 * of tickets. So a thread signs in first, and puts the ticket of the service, and nothing else,
 * into a cache in memory. GSSAPI finds it there, and because that cache holds no ticket-granting
 * ticket, there is nothing with which it could ask a KDC. */
#ifndef EXSYNC_HTTP_HTTP_TICKET_H
#define EXSYNC_HTTP_HTTP_TICKET_H

#include "base/failure.h"
#include "base/secret.h"

#include <krb5.h>
#include <stdbool.h>
#include <stdint.h>

struct http_ticket {
    krb5_context context; /* of the thread that uses the cache now; NULL: no ticket */
    krb5_ccache cache;
    char *cache_name;    /* what GSSAPI knows the cache by */
    int64_t remaining_s; /* seconds that the ticket is still good for */
};

/* Gets the ticket of HTTP/`host`; takes as long as the KDC and name service do.
 *
 * With a password for `username`:
 *   NAME@REALM     when what follows the @ has no small letter: that principal
 *   NAME@domain    otherwise: a user principal name (RFC 6806, enterprise name), which the KDC of
 *                  the default realm finds, or without a default realm that of DOMAIN
 *   DOMAIN\NAME    NAME in the default realm: a NetBIOS domain is no realm
 *   NAME           NAME in the default realm
 * Without one: from the default cache of tickets (KRB5CCNAME), else from the client key table
 * (KRB5_CLIENT_KTNAME). When neither is there and GSSAPI has credentials for NTLM of its own
 * (gss-ntlmssp), an empty cache is the result: Negotiate will go on with NTLM.
 *
 * False: `failure` says why. One call is one attempt to sign in. */
bool http_ticket_get(const char *host, const char *username, const struct secret *password,
                     struct http_ticket *ticket, struct failure *failure);

/* Wipes the tickets. One that is zeroed is fine. */
void http_ticket_release(struct http_ticket *ticket);

/* Whether a key table (NULL: the default client key table) can be read and has an entry, without
 * asking anybody. Blocks. False: `failure` says why not. */
bool http_ticket_check_table(const char *name, struct failure *failure);

/* From libkrb5's code and words to a classified failure. `with_table`: the account signs in by a
 * key table, and has no password here. */
struct failure http_ticket_failure(krb5_error_code code, bool with_table, const char *text);

#endif
