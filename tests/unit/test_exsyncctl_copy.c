/* Copies of the database on file systems that lack something. */
#include "store_support.h"
#include "tools/exsyncctl_copy.h"

static int rename_error;
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

static int teardown(void **state)
{
    rename_error = 0;
    appears = NULL;
    return support_teardown(state);
}

int main(void)
{
#define with_store(test) cmocka_unit_test_setup_teardown(test, support_setup, teardown)
    const struct CMUnitTest tests[] = {
        with_store(a_file_system_that_cannot_refuse_to_replace_takes_copies),
        with_store(what_another_one_has_made_meanwhile_is_not_replaced_there_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
