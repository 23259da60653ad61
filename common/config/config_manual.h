/* The manual page docs/exsyncd.conf.5, written out of the table of keys in mdoc. Source: mdoc(7) of
 * mandoc; each sentence begins a line of its own there. */
#ifndef EXSYNC_CONFIG_CONFIG_MANUAL_H
#define EXSYNC_CONFIG_CONFIG_MANUAL_H

#include "base/buffer.h"

void config_manual_write(struct buffer *page);

#endif
