#define _GNU_SOURCE /* memmem */
#include "tools/exsyncctl_config.h"

#include "base/memory.h"
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* --- why it cannot be used --- */

/* The first line that is no warning, and has `words` in it. NULL: there is none. */
static const char *find_mistake(const char *report, const char *words, size_t *length)
{
    for (; *report != '\0'; report += *length + (report[*length] == '\n')) {
        *length = strcspn(report, "\n");
        if (*length > 0 && !config_is_warning(report, *length) &&
            memmem(report, *length, words, strlen(words)) != NULL)
            return report;
    }
    return NULL;
}

int configuration_problem(const struct exsyncctl *tool, const struct buffer *report,
                          struct buffer *text)
{
    size_t length, rest;
    const char *words = buffer_string(report);
    const char *denied = find_mistake(words, strerror(EACCES), &length);
    const char *mistake = denied != NULL ? denied : find_mistake(words, "", &length);
    if (mistake == NULL)
        return EX_CONFIG;
    buffer_append(text, mistake, length);
    if (denied != NULL)
        buffer_append_string(text, ", or become root");
    else if (find_mistake(mistake + length, "", &rest) != NULL)
        buffer_append_format(text, "; exsyncd --check-config --config %s tells the other mistakes",
                             tool->config_path);
    return denied != NULL ? EX_NOPERM : EX_CONFIG;
}

/* --- the socket --- */

static bool cannot_tell(struct exsyncctl *tool, const struct buffer *report)
{
    struct buffer why = {0};
    tool->problem.exit = configuration_problem(tool, report, &why);
    snprintf(tool->problem.code, sizeof tool->problem.code, "Configuration");
    snprintf(tool->problem.text, sizeof tool->problem.text,
             "where exsyncd listens cannot be told; name its control_socket with --socket, or see "
             "to its configuration: %s",
             buffer_string(&why));
    buffer_release(&why);
    return false;
}

static bool has_none(struct exsyncctl *tool)
{
    tool->problem.exit = EX_UNAVAILABLE;
    snprintf(tool->problem.code, sizeof tool->problem.code, "NotRunning");
    snprintf(tool->problem.text, sizeof tool->problem.text,
             "exsyncd cannot be asked, as %s has control_socket = none; give it a path there, and "
             "restart exsyncd",
             tool->config_path);
    return false;
}

bool configured_socket(struct exsyncctl *tool)
{
    struct buffer report = {0};
    if (tool->socket != NULL)
        return true;
    bool known = config_read_control_socket(tool->config_path, &tool->configured, &report);
    bool named = strcmp(tool->config_path, EXSYNCCTL_DEFAULT_CONFIG) != 0;
    bool right = known || !named || cannot_tell(tool, &report);
    buffer_release(&report);
    if (!right)
        return false;
    if (tool->configured != NULL && strcmp(tool->configured, "none") == 0) {
        memory_free(tool->configured);
        tool->configured = NULL;
        return has_none(tool);
    }
    tool->socket = tool->configured == NULL ? CONTROL_DEFAULT_SOCKET : tool->configured;
    return true;
}
