#include "config/config_build.h"

#include "base/memory.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

/* Groups can come from a directory server: each is asked for once a load. */
struct config_group {
    struct config_group *next;
    const char *name;
    int error; /* 0, ENOENT, or why it could not be looked up */
    gid_t number;
};

static void look_up(struct config_group *group)
{
    size_t size = 4096;
    char *memory = NULL;
    struct group entry, *found = NULL;
    do {
        size *= 2;
        memory = memory_resize(memory, size);
        group->error = getgrnam_r(group->name, &entry, memory, size, &found);
    } while (group->error == ERANGE && size < 16 * 1024 * 1024);
    if (found != NULL)
        group->number = found->gr_gid;
    else if (group->error == 0)
        group->error = ENOENT;
    memory_free(memory);
}

static struct config_group *find(struct config_builder *builder, const char *name)
{
    struct config_group *group = builder->groups;
    while (group != NULL && strcmp(group->name, name) != 0)
        group = group->next;
    if (group != NULL)
        return group;
    group = config_arena_allocate(builder->scratch, sizeof *group);
    group->name = name;
    group->next = builder->groups;
    builder->groups = group;
    look_up(group);
    return group;
}

bool config_build_group(struct config_builder *builder, const char *name, gid_t *group,
                        struct buffer *wrong)
{
    size_t digits = strspn(name, "0123456789");
    if (digits > 0 && name[digits] == '\0') {
        unsigned long long number = strtoull(name, NULL, 10);
        *group = (gid_t)number;
        if (digits <= 10 && number < (gid_t)-1)
            return true;
        buffer_append_format(wrong, "'%s' is too large for a group; write its name", name);
        return false;
    }
    const struct config_group *found = find(builder, name);
    *group = found->number;
    if (found->error == 0)
        return true;
    if (found->error == ENOENT || found->error == ESRCH)
        buffer_append_format(wrong,
                             "there is no group '%s'; make it (groupadd --system) or name "
                             "another",
                             name);
    else
        buffer_append_format(wrong, "the group '%s' cannot be looked up: %s; try again", name,
                             strerror(found->error));
    return false;
}
