#define _GNU_SOURCE /* setgroups, initgroups */
#include "daemon/check_user.h"

#include "base/memory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_number(const char *word)
{
    return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* The C library's entry, until the next look. NULL: there is none. */
static const struct passwd *find_user(const char *word)
{
    return is_number(word) ? getpwuid((uid_t)strtoul(word, NULL, 10)) : getpwnam(word);
}

static bool find_group(const char *word, gid_t *number)
{
    const struct group *group =
        is_number(word) ? getgrgid((gid_t)strtoul(word, NULL, 10)) : getgrnam(word);
    if (group != NULL)
        *number = group->gr_gid;
    return group != NULL;
}

/* To those that the user has by the group database. False: the system refuses. */
static bool add_groups(const struct unit_file *unit)
{
    char *words = memory_copy_string(buffer_string(&unit->groups)), *rest = NULL;
    int had = getgroups(0, NULL);
    size_t count = had < 0 ? 0 : (size_t)had;
    gid_t *groups = memory_allocate_array(count + strlen(words) + 1, sizeof *groups);
    bool done = had >= 0 && getgroups((int)count, groups) >= 0;
    for (char *word = strtok_r(words, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest))
        count += find_group(word, &groups[count]);
    done = done && setgroups(count, groups) == 0;
    memory_free(groups);
    memory_free(words);
    return done;
}

static bool become(const struct unit_file *unit, const struct passwd *user)
{
    uid_t number = user->pw_uid;
    gid_t group = user->pw_gid;
    char *name = memory_copy_string(user->pw_name);
    bool done = unit->group.length == 0 || find_group(unit->group.data, &group);
    if (!done)
        errno = ENOENT;
    done = done && initgroups(name, group) == 0 && add_groups(unit) && setgid(group) == 0 &&
           setuid(number) == 0;
    memory_free(name);
    return done;
}

void check_user_become(const struct unit_file *unit, struct buffer *told)
{
    if (geteuid() != 0 || !unit->installed || unit->user.length == 0)
        return;
    const struct passwd *user = find_user(unit->user.data);
    if (user == NULL)
        buffer_append_format(told,
                             "warning: checked as root, as there is no user %s, whom "
                             "exsyncd.service names; make it with systemd-sysusers and check again",
                             unit->user.data);
    else if (user->pw_uid == 0)
        return;
    else if (become(unit, user))
        buffer_append_format(told, "checked as user %s, as whom exsyncd.service runs",
                             unit->user.data);
    else
        buffer_append_format(told,
                             "warning: checked as root, as user %s of exsyncd.service cannot be "
                             "taken on: %s; check with runuser -u %s -- exsyncd --check-config",
                             unit->user.data, strerror(errno), unit->user.data);
    buffer_append_char(told, '\n');
}
