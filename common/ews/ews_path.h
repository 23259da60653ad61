/* Paths of folders: "Inbox/Orders". Components are compared without case, in every script that has
 * one; runs of "/" and those at the ends do not count. */
#ifndef EXSYNC_EWS_EWS_PATH_H
#define EXSYNC_EWS_EWS_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* The first component: its beginning and length; *rest is what follows. Length 0: there is none. */
const char *ews_path_component(const char *path, size_t *length, const char **rest);

/* The well-known folder that a first component means, as this back end's folder id; NULL for none.
 */
const char *ews_path_well_known(const char *name, size_t length);

/* Whether two names are the same folder's. Invalid UTF-8 equals only itself. */
bool ews_path_same_name(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
