/* UUIDs (RFC 9562), in lower case. */
#ifndef EXSYNC_BASE_UUID_H
#define EXSYNC_BASE_UUID_H

#include <stdint.h>

enum { UUID_TEXT_SIZE = 37 };

/* A random one (version 4): activity ids and instance ids. */
void uuid_generate(char text[UUID_TEXT_SIZE]);

/* One whose text sorts by time, then by `sequence` (0 to 4095), and is random beyond that (version
 * 7). */
void uuid_generate_ordered(int64_t wall_ms, unsigned sequence, char text[UUID_TEXT_SIZE]);

#endif
