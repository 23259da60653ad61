/* The commented example file, conf/exsyncd.conf, written out of the table of keys. */
#ifndef EXSYNC_CONFIG_EXAMPLE_H
#define EXSYNC_CONFIG_EXAMPLE_H

#include "base/buffer.h"
#include "config/config_keys.h"

/* How a file of the configuration is written: one paragraph. The manual page says the same. */
extern const char config_example_syntax[];

void config_example_write(struct buffer *text);

/* What can be given for a key, as a sentence ("1 to 100.", "One of lf or crlf."); nothing for kinds
 * whose values are explained by their key's text. The manual page says the same. */
void config_example_write_range(const struct config_key *key, struct buffer *text);

#endif
