/* Copies of the database on file systems that lack something. */
#include "store_support.h"
#include "tools/exsyncctl_copy.h"

#include <fcntl.h>
#include <sys/inotify.h>

static int rename_error;
static int link_error;      /* 0: there are hard links */
static const char *appears; /* at that moment another one makes this file */

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags);

/* As on NFS, which does not know any flags. */
int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
    (void)from, (void)name, (void)to, (void)new_name, (void)flags;
    if (appears != NULL)
        fclose(fopen(appears, "w"));
    errno = rename_error;
    return -1;
}

int link(const char *path, const char *new_path)
{
    errno = link_error;
    return link_error == 0 ? linkat(AT_FDCWD, path, AT_FDCWD, new_path, 0) : -1;
}

enum { TARGET_SIZE = 96 };

static struct copy copy_to(const struct fixture *fixture, char target[TARGET_SIZE])
{
    snprintf(target, TARGET_SIZE, "%s/backup.db", fixture->directory);
    return (struct copy){.source = fixture->path, .target = target};
}

static void a_file_system_that_cannot_refuse_to_replace_takes_copies(void **state)
{
    struct fixture *fixture = *state;
    char target[TARGET_SIZE];
    struct copy copy = copy_to(fixture, target);
    struct stat status;
    rename_error = EINVAL;
    assert_true(copy_make(&copy));
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, copy.size);
    assert_int_equal(status.st_nlink, 1);
    assert_false(copy_make(&copy));
    assert_non_null(strstr(copy.problem, "is there already"));
}

static void what_another_one_has_made_meanwhile_is_not_replaced_there_either(void **state)
{
    struct fixture *fixture = *state;
    char target[TARGET_SIZE];
    struct copy copy = copy_to(fixture, target);
    struct stat status;
    rename_error = EINVAL;
    appears = target;
    assert_false(copy_make(&copy));
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, 0);
}

static void a_file_system_without_hard_links_takes_copies_and_replaces_none(void **state)
{
    struct fixture *fixture = *state;
    char target[TARGET_SIZE];
    struct copy copy = copy_to(fixture, target);
    struct stat status;
    rename_error = EINVAL;
    link_error = EPERM;
    assert_true(copy_make(&copy));
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, copy.size);
    assert_int_equal(unlink(target), 0);
    appears = target;
    assert_false(copy_make(&copy));
    assert_non_null(strstr(copy.problem, "File exists"));
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, 0);
}

/* Whatever ends it leaves one file: nothing beside the copy has ever been there. */
static void a_copy_needs_no_file_beside_it(void **state)
{
    struct fixture *fixture = *state;
    char target[TARGET_SIZE], room[4096];
    struct copy copy = copy_to(fixture, target);
    bool begun = false;
    rename_error = EINVAL;
    int events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(events, fixture->directory, IN_CREATE) >= 0);
    assert_true(copy_make(&copy));
    ssize_t length = read(events, room, sizeof room);
    close(events);
    for (ssize_t at = 0; at < length;) {
        struct inotify_event event;
        memcpy(&event, room + at, sizeof event);
        const char *name = room + at + sizeof event;
        bool copys = strncmp(name, "backup.db", 9) == 0;
        begun = begun || copys;
        if (copys && strchr(name, '-') != NULL)
            fail_msg("%s was there", name);
        at += (ssize_t)sizeof event + event.len;
    }
    assert_true(begun);
}

/* --- locks --- */

static int refuse_locks(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    errno = EOPNOTSUPP;
    return command == F_SETLK || command == F_GETLK ? -1 : fcntl(fd, command, argument);
}

static void allow_locks(bool allow)
{
    static sqlite3_syscall_ptr standard;
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (standard == NULL)
        standard = vfs->xGetSystemCall(vfs, "fcntl");
    vfs->xSetSystemCall(vfs, "fcntl", allow ? standard : (sqlite3_syscall_ptr)refuse_locks);
}

static void a_database_that_cannot_be_locked_is_told_as_such(void **state)
{
    struct fixture *fixture = *state;
    char target[TARGET_SIZE];
    struct copy copy = copy_to(fixture, target);
    allow_locks(false);
    bool made = copy_make(&copy);
    allow_locks(true);
    assert_false(made);
    if (strstr(copy.problem, "belongs on a local disk") == NULL)
        fail_msg("%s", copy.problem);
    assert_int_equal(access(target, F_OK), -1);
}

static void a_copy_is_made_where_nothing_can_be_locked(void **state)
{
    struct fixture *fixture = *state;
    char path[TARGET_SIZE];
    sqlite3 *copy = NULL;
    snprintf(path, sizeof path, "%s/new", fixture->directory);
    fclose(fopen(path, "w"));
    allow_locks(false);
    int result = store_copy_open(path, &copy);
    if (result == SQLITE_OK)
        result = sqlite3_exec(copy, "CREATE TABLE a (b)", NULL, NULL, NULL);
    sqlite3_close(copy);
    allow_locks(true);
    assert_int_equal(result, SQLITE_OK);
}

static int teardown(void **state)
{
    rename_error = link_error = 0;
    appears = NULL;
    return support_teardown(state);
}

int main(void)
{
#define with_store(test) cmocka_unit_test_setup_teardown(test, support_setup, teardown)
    const struct CMUnitTest tests[] = {
        with_store(a_file_system_that_cannot_refuse_to_replace_takes_copies),
        with_store(what_another_one_has_made_meanwhile_is_not_replaced_there_either),
        with_store(a_file_system_without_hard_links_takes_copies_and_replaces_none),
        with_store(a_copy_needs_no_file_beside_it),
        with_store(a_database_that_cannot_be_locked_is_told_as_such),
        with_store(a_copy_is_made_where_nothing_can_be_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
