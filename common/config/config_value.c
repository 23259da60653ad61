#define _GNU_SOURCE /* memmem */
#include "config/config_value.h"

#include "base/clock.h"
#include "config/config.h"
#include "config/config_suggest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool read_boolean(const char *text, uint64_t *value, struct buffer *wrong)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *value = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    buffer_append_format(wrong, "'%s' is neither yes nor no; write yes or no", text);
    return false;
}

static void append_choices(const struct config_key *key, struct buffer *wrong)
{
    for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++) {
        const char *separator = choice == key->choices   ? ""
                                : choice[1].name == NULL ? " or "
                                                         : ", ";
        buffer_append_format(wrong, "%s%s", separator, choice->name);
    }
}

static bool read_choice(const struct config_key *key, const char *text, uint64_t *value,
                        struct buffer *wrong)
{
    struct config_suggestion suggestion = config_suggestion_start(text);
    for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, text) == 0) {
            *value = choice->value;
            return true;
        }
        config_suggestion_consider(&suggestion, choice->name);
    }
    buffer_append_format(wrong, "'%s' is not known; ", text);
    if (suggestion.best != NULL)
        buffer_append_format(wrong, "did you mean %s? It can be ", suggestion.best);
    else
        buffer_append_string(wrong, "it can be ");
    append_choices(key, wrong);
    return false;
}

static bool read_number(const struct config_key *key, const char *text, uint64_t *value,
                        struct buffer *wrong)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t number = 0;
    bool huge = false;
    for (size_t i = 0; i < digits; i++) {
        huge = huge || __builtin_mul_overflow(number, 10U, &number) ||
               __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number);
    }
    *value = number;
    if (digits > 0 && text[digits] == '\0' && !huge && number >= key->minimum &&
        number <= key->maximum)
        return true;
    const char *what = digits == 0 || text[digits] != '\0' ? "is no whole number"
                       : huge || number > key->maximum     ? "is too large"
                                                           : "is too small";
    buffer_append_format(wrong, "'%s' %s; %llu to %llu can be given", text, what,
                         (unsigned long long)key->minimum, (unsigned long long)key->maximum);
    return false;
}

static bool read_mode(const struct config_key *key, const char *text, uint64_t *value,
                      struct buffer *wrong)
{
    size_t digits = strspn(text, "01234567");
    uint64_t mode = 0;
    for (size_t i = 0; i < digits && digits <= 5; i++)
        mode = mode * 8 + (uint64_t)(text[i] - '0');
    *value = mode;
    if (digits < 3 || digits > 5 || text[digits] != '\0') {
        buffer_append_format(wrong, "'%s' is no mode; write an octal one such as 0600 or 0640",
                             text);
        return false;
    }
    if ((mode & key->minimum) == key->minimum && (mode & ~key->maximum) == 0)
        return true;
    buffer_append_format(wrong,
                         "'%s' is no mode for mail; the owner must be able to read and write "
                         "(0600), and nobody to execute it; write 0600 or 0640",
                         text);
    return false;
}

/* What is not a path is not repeated: it could be a password that was put here. */
static bool read_path(const char *text, struct buffer *wrong)
{
    if (text[0] == '/')
        return true;
    buffer_append_string(wrong, "is no absolute path; write one that begins with /");
    return false;
}

/* Source: unix(7), sun_path. */
static bool read_socket(const char *text, struct buffer *wrong)
{
    enum { PATH_MAXIMUM = 107 };
    if (strcmp(text, "none") == 0)
        return true;
    if (text[0] != '/') {
        buffer_append_string(wrong, "is no absolute path; write one that begins with /, or none");
        return false;
    }
    if (strlen(text) <= PATH_MAXIMUM)
        return true;
    buffer_append_format(wrong, "is too long for a socket; write a path of at most %d bytes",
                         PATH_MAXIMUM);
    return false;
}

static bool read_command(const char *text, struct buffer *wrong)
{
    if (text[0] == '/')
        return true;
    buffer_append_string(wrong, "does not begin with the absolute path of a program; write one "
                                "that begins with /");
    return false;
}

static bool read_credential(const char *text, struct buffer *wrong)
{
    if (text[0] != '.' && strchr(text, '/') == NULL)
        return true;
    buffer_append_string(wrong, "is not the name of a credential; write the name that stands in "
                                "LoadCredential=NAME:FILE, and use password_file for a path");
    return false;
}

static bool read_timestamp(const char *text, struct config_value *value, struct buffer *wrong)
{
    value->now = strcmp(text, "now") == 0;
    if (value->now || clock_parse_utc(text, strlen(text), &value->time_ms) == 0)
        return true;
    buffer_append_format(wrong,
                         "'%s' is no time; write now, a date such as 2026-01-31 or a time "
                         "such as 2026-01-31T08:00:00Z",
                         text);
    return false;
}

const char *config_next_folder(const char **rest, size_t *length)
{
    const char *start = *rest;
    if (start == NULL)
        return NULL;
    const char *comma = strchr(start, ',');
    const char *end = comma == NULL ? start + strlen(start) : comma;
    *rest = comma == NULL ? NULL : comma + 1;
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    *length = (size_t)(end - start);
    return start;
}

static bool read_folder(const char *folder, size_t length, struct buffer *wrong)
{
    const char *reason = NULL;
    if (length == 0)
        reason = "a folder has no name";
    else if (folder[0] == '/')
        reason = "a folder begins with a slash";
    else if (folder[length - 1] == '/')
        reason = "a folder ends in a slash";
    else if (memmem(folder, length, "//", 2) != NULL)
        reason = "a folder has two slashes in a row";
    if (reason == NULL)
        return true;
    buffer_append_format(wrong, "%s; write folders such as Inbox or Inbox/Orders", reason);
    return false;
}

static bool read_folders(const char *list, struct buffer *wrong)
{
    size_t length = 0;
    const char *rest = list;
    for (const char *folder = config_next_folder(&rest, &length); folder != NULL;
         folder = config_next_folder(&rest, &length)) {
        if (!read_folder(folder, length, wrong))
            return false;
    }
    return true;
}

static bool read_after(const struct config_key *key, const char *text, struct config_value *value,
                       struct buffer *wrong)
{
    static const char move[] = "move:";
    if (strncmp(text, move, sizeof move - 1) == 0 && strcmp(text, "move:FOLDER") != 0) {
        value->number = CONFIG_AFTER_MOVE;
        value->text = text + sizeof move - 1;
        while (isspace((unsigned char)*value->text))
            value->text++;
        return read_folder(value->text, strlen(value->text), wrong);
    }
    if (strncmp(text, "move", 4) == 0) {
        buffer_append_string(wrong, "names no folder; write move: and a folder, such as "
                                    "move:Inbox/Done");
        return false;
    }
    return read_choice(key, text, &value->number, wrong);
}

static bool read_kind(const struct config_key *key, char *text, struct config_value *value,
                      struct buffer *wrong)
{
    switch (key->kind) {
    case CONFIG_KIND_BOOLEAN:
        return read_boolean(text, &value->number, wrong);
    case CONFIG_KIND_CHOICE:
        return read_choice(key, text, &value->number, wrong);
    case CONFIG_KIND_NUMBER:
        return read_number(key, text, &value->number, wrong);
    case CONFIG_KIND_DURATION:
        return config_read_duration(text, key->minimum, key->maximum, &value->number, wrong);
    case CONFIG_KIND_DURATIONS:
        return config_read_durations(text, key->minimum, key->maximum, wrong);
    case CONFIG_KIND_SIZE:
        return config_read_size(text, key->minimum, key->maximum, &value->number, wrong);
    case CONFIG_KIND_PATH:
        return read_path(text, wrong);
    case CONFIG_KIND_SOCKET:
        return read_socket(text, wrong);
    case CONFIG_KIND_ADDRESS:
        return config_read_address(text, wrong);
    case CONFIG_KIND_URL:
        return config_read_url(text, wrong);
    case CONFIG_KIND_SMTP_URL:
        return config_read_smtp_url(text, wrong);
    case CONFIG_KIND_COMMAND:
        return read_command(text, wrong);
    case CONFIG_KIND_CREDENTIAL:
        return read_credential(text, wrong);
    case CONFIG_KIND_TIMESTAMP:
        return read_timestamp(text, value, wrong);
    case CONFIG_KIND_FOLDERS:
        return read_folders(text, wrong);
    case CONFIG_KIND_MAILDIR:
        return config_read_maildir(text, &value->text, wrong);
    case CONFIG_KIND_MODE:
        return read_mode(key, text, &value->number, wrong);
    case CONFIG_KIND_AFTER:
        return read_after(key, text, value, wrong);
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_LIST:
    case CONFIG_KIND_GROUP:
    case CONFIG_KIND_PROFILE:
    case CONFIG_KIND_IDENTITY:
        return true;
    }
    return false;
}

bool config_value_read(const struct config_key *key, char *text, struct config_value *value,
                       struct buffer *wrong)
{
    size_t length = strlen(text);
    *value = (struct config_value){.text = text};
    if (length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0]) {
        buffer_append_string(wrong, "is written in quotes; write it without");
        return false;
    }
    if (text[length - 1] == '\\') {
        buffer_append_string(wrong, "ends in a backslash; a value ends with its line and is not "
                                    "carried on in the next");
        return false;
    }
    bool good = read_kind(key, text, value, wrong);
    if (!good && strstr(text, " #") != NULL)
        buffer_append_string(wrong, " (a comment behind a value begins with a semicolon)");
    return good;
}
