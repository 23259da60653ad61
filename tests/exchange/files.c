#include "files.h"

#include <errno.h>
#include <stdio.h>

enum { BLOCK = 65536 };

bool file_read(const char *path, struct buffer *content)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t got;
    do {
        buffer_reserve(content, BLOCK);
        got = fread(content->data + content->length, 1, BLOCK, file);
        content->length += got;
        content->data[content->length] = '\0';
    } while (got == BLOCK);
    bool is_read = !ferror(file);
    int error = errno;
    fclose(file);
    errno = error;
    return is_read;
}
