#include "tools/exsync_submit_sender.h"

#include "base/text.h"

#include <ctype.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_SIZE = 256, /* bytes of a full name; the rest is cut off */
    HOST_SIZE = 256,
    WORD_MAX = 75, /* characters of an encoded word */
};

/* --- writing --- */

static bool is_phrase(const char *name)
{
    for (; *name != '\0'; name++) {
        if (!isalnum((unsigned char)*name) && strchr(" !#$%&'*+-/=?^_`{|}~", *name) == NULL)
            return false;
    }
    return true;
}

static bool is_ascii(const char *name)
{
    while (*name != '\0' && (unsigned char)*name < 0x80)
        name++;
    return *name == '\0';
}

static void write_quoted(struct buffer *body, const char *name)
{
    buffer_append_char(body, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            buffer_append_char(body, '\\');
        buffer_append_char(body, *name);
    }
    buffer_append_char(body, '"');
}

/* Bytes of the UTF-8 character that begins with `byte`. */
static size_t character_length(unsigned char byte)
{
    return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

static void write_encoded(struct buffer *body, const char *name)
{
    static const char begin[] = "=?UTF-8?Q?";
    size_t start = body->length;
    buffer_append_string(body, begin);
    while (*name != '\0') {
        size_t length = strnlen(name, character_length((unsigned char)*name));
        if (body->length - start + 3 * length + 2 > WORD_MAX) {
            buffer_append_string(body, "?= ");
            start = body->length;
            buffer_append_string(body, begin);
        }
        for (; length > 0; length--, name++) {
            if (isalnum((unsigned char)*name))
                buffer_append_char(body, *name);
            else
                buffer_append_format(body, "=%02X", (unsigned char)*name);
        }
    }
    buffer_append_string(body, "?=");
}

void submit_address_write(struct buffer *body, const char *address, const char *name)
{
    char line[NAME_SIZE] = "";
    if (name != NULL)
        text_copy_line(line, sizeof line, name, strlen(name));
    if (line[0] == '\0') {
        buffer_append_string(body, address);
        return;
    }
    /* What looks like an encoded word would be read as one. */
    if (!is_ascii(line) || strstr(line, "=?") != NULL)
        write_encoded(body, line);
    else if (is_phrase(line))
        buffer_append_string(body, line);
    else
        write_quoted(body, line);
    buffer_append_format(body, " <%s>", address);
}

/* --- reading --- */

static bool is_one_line(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

bool submit_address_read(struct address_list *list, const char *argument)
{
    size_t before = list->count, invalid = list->invalid;
    if (!is_one_line(argument))
        return false;
    address_list_parse(list, argument, strlen(argument));
    return list->invalid == invalid && list->count > before;
}

/* --- this user on this host --- */

static bool is_host(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789.-_");
    return length > 0 && name[length] == '\0';
}

static void find_host(char host[HOST_SIZE])
{
    FILE *file = fopen("/etc/mailname", "re");
    host[0] = '\0';
    if (file != NULL) {
        if (fgets(host, HOST_SIZE, file) != NULL)
            host[strcspn(host, " \t\r\n")] = '\0';
        fclose(file);
    }
    if (!is_host(host) && gethostname(host, HOST_SIZE) != 0)
        host[0] = '\0';
    host[HOST_SIZE - 1] = '\0';
    if (!is_host(host))
        snprintf(host, HOST_SIZE, "localhost");
}

/* The name before the first comma; & stands for the user's name with a capital. */
static void write_full_name(struct buffer *name, const struct passwd *user)
{
    for (const char *next = user->pw_gecos; next != NULL && *next != '\0' && *next != ','; next++) {
        if (*next != '&') {
            buffer_append_char(name, *next);
            continue;
        }
        buffer_append_char(name, (char)toupper((unsigned char)user->pw_name[0]));
        buffer_append_string(name, user->pw_name + (user->pw_name[0] != '\0'));
    }
}

static int find_user(struct buffer *address, struct buffer *name, struct submit_problem *problem)
{
    const struct passwd *user = getpwuid(getuid());
    if (user == NULL || !is_one_line(user->pw_name))
        return submit_problem_set(problem, EX_OSERR,
                                  "the user %ld has no name here; give the message a From, or use "
                                  "-f",
                                  (long)getuid());
    buffer_append_string(address, user->pw_name);
    write_full_name(name, user);
    return EX_OK;
}

/* The address of -f alone; a name that comes with it is used when there is no -F. */
static int read_sender(const char *sender, struct buffer *address, struct buffer *name,
                       struct submit_problem *problem)
{
    struct address_list list = {0};
    bool right = submit_address_read(&list, sender) && list.count == 1;
    if (right) {
        buffer_append_string(address, list.addresses[0].address);
        if (list.addresses[0].name != NULL)
            buffer_append_string(name, list.addresses[0].name);
    }
    address_list_release(&list);
    if (right)
        return EX_OK;
    return submit_problem_set(problem, EX_USAGE, "-f %s is no address; write -f USER@DOMAIN",
                              sender);
}

int submit_sender_write(const struct submit_options *options, struct buffer *body,
                        struct submit_problem *problem)
{
    struct buffer address = {0}, name = {0};
    char host[HOST_SIZE];
    int status = options->sender != NULL && options->sender[0] != '\0'
                     ? read_sender(options->sender, &address, &name, problem)
                     : find_user(&address, &name, problem);
    if (status == EX_OK) {
        if (strchr(buffer_string(&address), '@') == NULL) {
            find_host(host);
            buffer_append_format(&address, "@%s", host);
        }
        submit_address_write(body, buffer_string(&address),
                             options->full_name != NULL ? options->full_name
                                                        : buffer_string(&name));
    }
    buffer_release(&address);
    buffer_release(&name);
    return status;
}
