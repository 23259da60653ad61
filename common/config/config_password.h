/* The password of a profile, from a file that nobody else may read or from a systemd credential.
 *
 * Nobody else: the file's owner alone may open it (0600), or it belongs to root and a group that is
 * one user's own may read it (0640 root:exsyncd). */
#ifndef EXSYNC_CONFIG_PASSWORD_H
#define EXSYNC_CONFIG_PASSWORD_H

#include "base/buffer.h"
#include "base/secret.h"

/* NULL when there is none to be had: why, and what to do, is appended to `wrong`; never a part of
 * the password. The caller frees the secret. */
struct secret *config_password_from_file(const char *path, struct buffer *wrong);

/* `name` as in LoadCredential=NAME:FILE; systemd puts it into $CREDENTIALS_DIRECTORY. */
struct secret *config_password_from_credential(const char *name, struct buffer *wrong);

#endif
