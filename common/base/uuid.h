/* Random UUIDs (RFC 9562, version 4), in lower case: activity ids and instance ids. */
#ifndef EXSYNC_BASE_UUID_H
#define EXSYNC_BASE_UUID_H

enum { UUID_TEXT_SIZE = 37 };

void uuid_generate(char text[UUID_TEXT_SIZE]);

#endif
