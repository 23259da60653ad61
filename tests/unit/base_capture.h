/* Catches what is written to standard error while a test runs. */
#ifndef EXSYNC_TESTS_BASE_CAPTURE_H
#define EXSYNC_TESTS_BASE_CAPTURE_H

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
    FILE *file;
    int standard_error; /* the one to go back to */
};

static inline void capture_begin(struct capture *capture)
{
    capture->file = tmpfile();
    if (capture->file == NULL)
        abort();
    fflush(stderr);
    capture->standard_error = dup(STDERR_FILENO);
    dup2(fileno(capture->file), STDERR_FILENO);
}

/* What was written; the caller frees it with memory_free. */
static inline char *capture_end(struct capture *capture)
{
    fflush(stderr);
    dup2(capture->standard_error, STDERR_FILENO);
    close(capture->standard_error);
    struct buffer text = {0};
    char chunk[4096];
    size_t length;
    rewind(capture->file);
    while ((length = fread(chunk, 1, sizeof chunk, capture->file)) > 0)
        buffer_append(&text, chunk, length);
    fclose(capture->file);
    return buffer_take(&text);
}

#endif
