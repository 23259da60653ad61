#include "tools/exsyncctl_watch.h"

#include "tools/exsyncctl_output.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { WATCH_EVERY_MS = 1000, WATCH_ROWS = 24, WATCH_COLUMNS = 80 };

/* Another screen, no cursor, no line goes on in the next one; and back. */
static const char ENTER[] = "\033[?1049h\033[?25l\033[?7l";
static const char LEAVE[] = "\033[?7h\033[?25h\033[?1049l";

/* For the handler of signals, which has no other way to know it. */
static struct {
    struct termios before;
    bool keys; /* standard input was changed */
} watched;

static void terminal_leave(void)
{
    ssize_t ignored = write(STDOUT_FILENO, LEAVE, sizeof LEAVE - 1);
    (void)ignored;
    if (watched.keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &watched.before);
}

/* Whatever waits for an answer meanwhile is not waited for. */
static void on_signal(int number)
{
    terminal_leave();
    signal(number, SIG_DFL);
    raise(number);
}

static void on_signals(void (*handler)(int number))
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], handler);
}

/* Keys are read as they are pressed; Ctrl-Z would leave the other screen in sight. */
static void terminal_enter(void)
{
    watched.keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &watched.before) == 0;
    on_signals(on_signal);
    if (watched.keys) {
        struct termios keys = watched.before;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        keys.c_cc[VSUSP] = _POSIX_VDISABLE;
        tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    }
    fputs(ENTER, stdout);
    fflush(stdout);
}

static void terminal_size(int *rows, int *columns)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *rows = known && size.ws_row > 0 ? size.ws_row : WATCH_ROWS;
    *columns = known && size.ws_col > 0 ? size.ws_col : WATCH_COLUMNS;
}

/* "\033[31m": bytes that take no room. 0: it is none. */
static size_t colour_at(const char *text)
{
    return text[0] == '\033' ? strcspn(text, "m") + 1 : 0;
}

/* How much of a line fits. Not all terminals can be kept from going on in the next one. */
static size_t cut_at(const char *line, size_t length, int columns)
{
    size_t at = 0;
    for (int used = 0, width; at < length;) {
        size_t colour = colour_at(line + at), character = output_character(line + at, &width);
        if (colour == 0 && used + width > columns)
            break;
        used += colour == 0 ? width : 0;
        at += colour == 0 ? character : colour;
    }
    return at;
}

/* From the top; each line ends by clearing what was there before. */
static void show(const char *text)
{
    int left, columns;
    terminal_size(&left, &columns);
    fputs("\033[H", stdout);
    while (*text != '\0' && left > 0) {
        size_t length = strcspn(text, "\n"), fits = cut_at(text, length, columns);
        left--;
        fwrite(text, 1, fits, stdout);
        if (fits < length)
            fputs("\033[0m", stdout);
        fputs(left > 0 ? "\033[K\r\n" : "\033[K", stdout);
        text += length + (text[length] == '\n');
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

/* What `draw` prints is collected, and shown at once. */
static int draw_once(struct exsyncctl *tool, int (*draw)(struct exsyncctl *tool, void *argument),
                     void *argument)
{
    char *text = NULL;
    size_t length = 0;
    FILE *terminal = stdout, *collected = open_memstream(&text, &length);
    if (collected == NULL)
        return EX_OSERR;
    stdout = collected;
    int status = draw(tool, argument);
    fclose(collected);
    stdout = terminal;
    if (status == EX_OK)
        show(text);
    free(text);
    return status;
}

/* Waits for the next turn. True: somebody wants to end it. */
static bool wait_for_key(void)
{
    struct pollfd input = {.fd = watched.keys ? STDIN_FILENO : -1, .events = POLLIN};
    char key = 0;
    if (poll(&input, 1, WATCH_EVERY_MS) <= 0)
        return false;
    if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q')
        return true;
    /* Another key is no reason to draw sooner. */
    tcflush(STDIN_FILENO, TCIFLUSH);
    const struct timespec pause = {.tv_sec = WATCH_EVERY_MS / 1000};
    nanosleep(&pause, NULL);
    return false;
}

int watch_run(struct exsyncctl *tool, int (*draw)(struct exsyncctl *tool, void *argument),
              void *argument)
{
    int status;
    if (!tool->terminal)
        return exsyncctl_misused(tool, "--watch needs a terminal");
    tool->silent = true; /* until there is a screen on which it stays */
    terminal_enter();
    do
        status = draw_once(tool, draw, argument);
    while (status == EX_OK && !wait_for_key());
    terminal_leave();
    on_signals(SIG_DFL);
    tool->silent = false;
    return status == EX_OK ? status : exsyncctl_fail(tool, status, "%s", tool->problem.text);
}
