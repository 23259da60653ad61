/* Profiles and mailboxes as rows of tables: what `status` and the lists have in common.
 *
 * What many rows wait for (a profile that is paused, a server that is away) is a short word in each
 * of them and a note below the table, told once. */
#ifndef EXSYNC_EXSYNCCTL_ROWS_H
#define EXSYNC_EXSYNCCTL_ROWS_H

#include "tools/exsyncctl_output.h"

/* The notes below a table; zeroes to begin with. */
struct rows_notes {
    json_t *texts; /* an array; NULL: none */
    size_t more;   /* those that are left out */
};

/* Prints them, a line each, and frees them. */
void rows_print_notes(const struct exsyncctl *tool, struct rows_notes *notes);

struct output_table *rows_create_profiles(void);
void rows_add_profile(struct output_table *table, struct rows_notes *notes, const json_t *profile);

/* `with_profile`: a column for the profile. */
struct output_table *rows_create_mailboxes(bool with_profile);
void rows_add_mailbox(struct output_table *table, struct rows_notes *notes, const json_t *mailbox,
                      bool with_profile);

/* The colour for how a mailbox is ("ok", "stopped" ...), and for a profile's gate. */
enum output_colour rows_state_colour(const char *state);
enum output_colour rows_gate_colour(const json_t *profile);

/* Whether an administrator has disabled a direction that is configured. */
bool rows_is_disabled(const json_t *direction);

/* The account of a profile or mailbox. */
const char *rows_account(const json_t *object);

#endif
