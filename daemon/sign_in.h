/* Sign-ins that the server has refused, remembered across reloads and restarts, so that no account
 * is ever locked out by us.
 *
 * A refused sign-in is tried once more after a minute, in case a domain controller was in trouble,
 * and then once an hour: two an hour at most, whatever is reloaded or restarted in between. What is
 * remembered is bound to a mark of what was tried: the server, the way to sign in, the account, and
 * its password. When one of them changes, what was refused before is forgotten, and the new one is
 * tried at once; so it is after a success. The mark is 16 bits of a salted digest: a change is
 * noticed, and nothing about a password can be learnt from the database.
 *
 * A Kerberos ticket that others keep (no password of ours) can have been renewed without our
 * noticing, and trying it locks nobody out: it is tried again at each reload and start. */
#ifndef EXSYNC_DAEMON_SIGN_IN_H
#define EXSYNC_DAEMON_SIGN_IN_H

#include "base/buffer.h"
#include "config/config.h"
#include "store/store.h"
#include "store/store_alerts.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SIGN_IN_SECOND_MS = 60 * 1000,     /* from the first refusal to the second try */
    SIGN_IN_LATER_MS = 60 * 60 * 1000, /* from each later one to the next */
};

struct sign_ins;

/* `salt` is the store's instance; copied. */
struct sign_ins *sign_ins_create(struct store *store, const char *salt);

/* When the store is closed. NULL is allowed. */
void sign_ins_free(struct sign_ins *sign_ins);

/* Reads what an earlier process has left. Once, before anybody signs in. */
void sign_ins_load(struct sign_ins *sign_ins, store_done *done, void *argument);

/* What is remembered of the profile; `refused` is 0 when it may sign in at once. To be asked when a
 * profile is taken into use: what another password has met is forgotten by it. */
struct store_sign_in sign_ins_recall(struct sign_ins *sign_ins,
                                     const struct config_profile *profile);

/* The same for people who ask: changes nothing, whatever the profile signs in with now. */
struct store_sign_in sign_ins_look(const struct sign_ins *sign_ins, const char *profile);

/* The server has refused the account. Counts it, writes it, and returns how long to wait. */
uint64_t sign_ins_refused(struct sign_ins *sign_ins, const struct config_profile *profile,
                          int64_t now_ms);

/* The server has accepted it: what was refused is forgotten. */
void sign_ins_accepted(struct sign_ins *sign_ins, const struct config_profile *profile);

/* Whether all of that is on disk. Nobody is to sign in before, or a kill would let the next process
 * try once too often. A write that failed is begun again by asking. */
bool sign_ins_written(struct sign_ins *sign_ins, const struct config_profile *profile);

/* How long from `now_ms` (wall time) until the next try. A clock that was set back makes it no
 * longer than from the refusal on. */
uint64_t sign_in_wait(const struct store_sign_in *sign_in, int64_t now_ms);

/* Appends what a person does about a refused sign-in: `remedy` of its failure (NULL or "": the
 * account is to be checked), where a new password goes, and how it is tried at once: for `address`,
 * or for the whole profile when that is NULL. */
void sign_in_write_remedy(struct buffer *text, const struct config_profile *profile,
                          const char *remedy, const char *address);

#endif
