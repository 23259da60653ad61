#include "config/config_maildir.h"

#include "base/memory.h"
#include "config/config.h"
#include "config/config_value.h"

#include <string.h>

static const char scheme[] = "maildir:";
static const char usual[] = "maildir:/var/lib/exsyncd/mail/%d/%n";

/* Takes out empty parts, "." and slashes at the end, so that one folder has one name; two Maildirs
 * are compared by name. False when a part is "..". */
static bool normalise(char *path)
{
    char *output = path;
    const char *part = path;
    while (*part == '/') {
        size_t length = strcspn(part + 1, "/");
        if (length == 2 && strncmp(part + 1, "..", 2) == 0)
            return false;
        if (length > 0 && !(length == 1 && part[1] == '.')) {
            memmove(output, part, length + 1);
            output += length + 1;
        }
        part += length + 1;
    }
    if (output == path)
        *output++ = '/';
    *output = '\0';
    return true;
}

bool config_read_maildir(char *text, const char **path, struct buffer *wrong)
{
    size_t prefix = sizeof scheme - 1;
    if (strncmp(text, scheme, prefix) != 0) {
        buffer_append_format(wrong, "'%s' does not begin with maildir:; write %s%s", text, scheme,
                             text[0] == '/' ? text : usual + prefix);
        return false;
    }
    char *template = text + prefix;
    if (template[0] != '/') {
        buffer_append_format(wrong, "'%s' is no absolute path; write one such as %s", template,
                             usual);
        return false;
    }
    for (const char *at = strchr(template, '%'); at != NULL; at = strchr(at + 2, '%')) {
        if (at[1] == '\0' || strchr("und%", at[1]) == NULL) {
            buffer_append_format(wrong,
                                 "'%%%.1s' is not known; the letters are %%u (the address), "
                                 "%%n (before its @), %%d (behind it) and %%%% (a percent "
                                 "sign)",
                                 at + 1);
            return false;
        }
    }
    if (!normalise(template)) {
        buffer_append_format(wrong, "'%s' has .. in it; write the path without", template);
        return false;
    }
    if (strcmp(template, "/") == 0) {
        buffer_append_format(wrong, "names the root of the file system; write a path such as %s",
                             usual);
        return false;
    }
    *path = template;
    return true;
}

void config_maildir_expand(const char *template, const char *address, struct buffer *path)
{
    const char *at = strchr(address, '@');
    size_t local = at == NULL ? strlen(address) : (size_t)(at - address);
    for (const char *character = template; *character != '\0'; character++) {
        if (*character != '%') {
            buffer_append_char(path, *character);
            continue;
        }
        character++;
        if (*character == 'u')
            buffer_append_string(path, address);
        else if (*character == 'n')
            buffer_append(path, address, local);
        else if (*character == 'd')
            buffer_append_string(path, at == NULL ? "" : at + 1);
        else
            buffer_append_char(path, '%');
    }
}

char *config_maildir_path(const struct config_mailbox *mailbox)
{
    struct buffer path = {0};
    config_maildir_expand(mailbox->settings->maildir, mailbox->address, &path);
    return buffer_take(&path);
}

char *config_maildir_root(const struct config_mailbox_settings *settings)
{
    const char *template = settings->maildir;
    struct buffer root = {0};
    size_t complete = 0; /* up to the last slash before a letter */
    const char *at = template;
    for (; *at != '\0' && (*at != '%' || at[1] == '%'); at++) {
        if (*at == '/')
            complete = root.length;
        if (*at == '%')
            at++;
        buffer_append_char(&root, *at);
    }
    if (*at != '\0')
        root.length = complete;
    if (root.length == 0)
        buffer_append_char(&root, '/');
    return buffer_take(&root);
}
