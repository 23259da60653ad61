/* Profiles and mailboxes as rows of tables: what `status` and the lists have in common. */
#ifndef EXSYNC_EXSYNCCTL_ROWS_H
#define EXSYNC_EXSYNCCTL_ROWS_H

#include "tools/exsyncctl_output.h"

struct output_table *rows_create_profiles(void);
void rows_add_profile(struct output_table *table, const json_t *profile);

/* `with_profile`: a column for the profile. */
struct output_table *rows_create_mailboxes(bool with_profile);
void rows_add_mailbox(struct output_table *table, const json_t *mailbox, bool with_profile);

/* The colour and the words for how a mailbox is ("ok", "stopped" ...), and for a profile's gate. */
enum output_colour rows_state_colour(const char *state);
const char *rows_gate_words(const json_t *profile);
enum output_colour rows_gate_colour(const json_t *profile);

/* What stands in the way of a mailbox, in whichever direction; NULL: nothing. */
const json_t *rows_trouble(const json_t *mailbox);

/* Why a mailbox that is in no trouble by itself waits all the same ("the profile ... is paused
 * since
 * ...; exsyncctl resume ..."); NULL: it does not. */
const char *rows_hindrance(const json_t *mailbox);

/* The account of a profile or mailbox. */
const char *rows_account(const json_t *object);

#endif
