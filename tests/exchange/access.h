/* Accounts, their passwords, and whom each may impersonate. Any thread may ask and change. */
#ifndef EXCHANGE_ACCESS_H
#define EXCHANGE_ACCESS_H

#include <stdbool.h>

/* The servers behind one address, which connections come to in turn. */
enum { ACCESS_SERVERS = 4, ACCESS_ALL_SERVERS = -1 };

struct access;
struct account;

struct access *access_create(void);
void access_free(struct access *access);

/* Adds an account that may impersonate nobody, or changes its password. */
void access_set_password(struct access *access, const char *name, const char *password);

/* The account whose name and password these are; NULL: none. Valid as long as `access`. */
const struct account *access_sign_in(struct access *access, const char *name, const char *password);

/* The account of a user that somebody else has authenticated: its full name, or without @REALM or
 * DOMAIN\. NULL when there is none. */
const struct account *access_find(struct access *access, const char *user);

/* Grants or revokes `address`, or "all", as one server knows it or all do. False when there is no
 * such account. */
bool access_grant(struct access *access, const char *name, const char *address, int server);
bool access_revoke(struct access *access, const char *name, const char *address, int server);

/* Reads a rule: all, none, addresses with commas; -ADDRESS takes one out. */
bool access_set_rule(struct access *access, const char *name, const char *rule);

bool access_may_impersonate(struct access *access, const struct account *account,
                            const char *address, unsigned server);

/* The mailbox that is the account's own: by default the one whose address is its name. */
bool access_set_own_mailbox(struct access *access, const char *name, const char *address);
const char *access_own_mailbox(const struct account *account);

#endif
