#include "tools/exsync_submit_input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A dot that was held back has turned out to be text. */
static void release_dot(struct submit_input *input, struct buffer *buffer)
{
    if (input->place == SUBMIT_INPUT_DOT)
        buffer_append_char(buffer, '.');
    else if (input->place == SUBMIT_INPUT_DOT_RETURN)
        buffer_append(buffer, ".\r", 2);
}

/* Returns whether the message goes on. */
static bool take_byte(struct submit_input *input, struct buffer *buffer, char byte)
{
    bool dot_line = input->place == SUBMIT_INPUT_DOT || input->place == SUBMIT_INPUT_DOT_RETURN;
    if (dot_line && byte == '\n')
        return false;
    if (input->place == SUBMIT_INPUT_DOT && byte == '\r') {
        input->place = SUBMIT_INPUT_DOT_RETURN;
        return true;
    }
    if (input->place == SUBMIT_INPUT_LINE_START && byte == '.') {
        input->place = SUBMIT_INPUT_DOT;
        return true;
    }
    release_dot(input, buffer);
    buffer_append_char(buffer, byte);
    input->place = byte == '\n' ? SUBMIT_INPUT_LINE_START : SUBMIT_INPUT_IN_LINE;
    return true;
}

static void take(struct submit_input *input, struct buffer *buffer, const char *bytes,
                 size_t length)
{
    if (input->dots_are_text) {
        buffer_append(buffer, bytes, length);
        return;
    }
    for (size_t i = 0; i < length && !input->ended; i++)
        input->ended = !take_byte(input, buffer, bytes[i]);
}

int submit_input_fill(struct submit_input *input, struct buffer *buffer, size_t length)
{
    char chunk[SUBMIT_INPUT_CHUNK];
    while (!input->ended && buffer->length < length) {
        size_t wanted = length - buffer->length;
        submit_stop_wait_input(input->stop, input->descriptor);
        if (submit_stop_asked(input->stop))
            return 0;
        ssize_t got = read(input->descriptor, chunk, wanted < sizeof chunk ? wanted : sizeof chunk);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return errno;
        if (got == 0)
            input->ended = true; /* a dot without a line end was the end, too */
        if (got > 0)
            take(input, buffer, chunk, (size_t)got);
    }
    return 0;
}

size_t submit_input_mbox_line(const struct buffer *buffer)
{
    const char *end;
    if (buffer->length < 5 || memcmp(buffer->data, "From ", 5) != 0)
        return 0;
    end = memchr(buffer->data, '\n', buffer->length);
    return end != NULL ? (size_t)(end - buffer->data) + 1 : 0;
}
