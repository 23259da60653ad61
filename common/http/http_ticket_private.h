/* Between the files of a sign-in: http_ticket.c (its course), http_ticket_sign_in.c (the
 * ticket-granting ticket), http_ticket_cache.c (from one cache to another), http_ticket_gssapi.c
 * (what GSSAPI makes of it). All run on the thread that signs in.
 *
 * Functions return libkrb5's code, 0 for success; nothing that they leave in the sign-in is freed
 * before its end. */
#ifndef EXSYNC_HTTP_HTTP_TICKET_PRIVATE_H
#define EXSYNC_HTTP_HTTP_TICKET_PRIVATE_H

#include "http/http_ticket.h"

/* One sign-in; http_ticket_get frees what is in it. */
struct http_ticket_signing {
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

/* --- http_ticket_sign_in.c --- */

/* Puts a ticket-granting ticket into signing->work, and whose it is into signing->client: with the
 * password, or without one from the default cache of tickets, else from the client key table. */
krb5_error_code http_ticket_sign_in(struct http_ticket_signing *signing);

/* --- http_ticket_cache.c --- */

/* By the KDC's clock as far as it is known; seconds since 1970. */
int64_t http_ticket_now_s(krb5_context context);

/* Copies the tickets that grant tickets, or the others. *end_s: when the last of them ends, in
 * seconds since 1970; 0 when there was none. */
krb5_error_code http_ticket_copy(krb5_context context, krb5_ccache from, krb5_ccache to,
                                 bool granting, int64_t *end_s);

/* --- http_ticket_gssapi.c --- */

/* Does once what libcurl will do on the loop: what GSSAPI would object to is found here, where it
 * can be told, and its libraries are loaded here and not there. After a failure signing->words are
 * GSSAPI's. */
krb5_error_code http_ticket_rehearse(struct http_ticket_signing *signing,
                                     const struct http_ticket *ticket);

/* MS-NLMP inside Negotiate, by a library that has credentials of its own (NTLM_USER_FILE). */
bool http_ticket_can_do_ntlm(void);

#endif
