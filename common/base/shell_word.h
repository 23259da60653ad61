/* A value as one word of a command that people paste into a shell. */
#ifndef EXSYNC_BASE_SHELL_WORD_H
#define EXSYNC_BASE_SHELL_WORD_H

#include "base/buffer.h"

/* Appends it as it is when a POSIX shell takes it for one word, otherwise in double quotes, and in
 * single ones when it holds what a shell (an interactive one, too) would not leave alone in those.
 * What cannot be shown on one line is replaced (base/text.h). */
void shell_word_append(struct buffer *text, const char *value);

#endif
