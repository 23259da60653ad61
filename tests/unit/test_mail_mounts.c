#define _GNU_SOURCE
#include "mail_world.h"

#include <fcntl.h>

static struct mounts *parse(const char *text)
{
    return mounts_parse(text, strlen(text));
}

static const char usual[] =
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "23 22 0:20 / /proc rw - proc proc rw\n"
    "40 22 0:41 / /srv/mail rw shared:7 master:3 - nfs4 server:/mail rw,hard\n"
    "41 40 0:42 / /srv/mail/example.com rw - ext4 /dev/vdb rw\n"
    "42 22 0:43 / /srv/my\\040mail\\134x rw - ext4 /dev/vdc rw\n";

static void a_path_is_on_the_mount_that_is_nearest_above_it(void **state)
{
    (void)state;
    struct mounts *mounts = parse(usual);
    assert_string_equal(mounts_find(mounts, "/"), "/");
    assert_string_equal(mounts_find(mounts, "/srv"), "/");
    assert_string_equal(mounts_find(mounts, "/srv/mailbox/a"), "/");
    assert_string_equal(mounts_find(mounts, "/srv/mail"), "/srv/mail");
    assert_string_equal(mounts_find(mounts, "/srv/mail/example.org/a"), "/srv/mail");
    assert_string_equal(mounts_find(mounts, "/srv/mail/example.com/a"), "/srv/mail/example.com");
    mounts_free(mounts);
}

static void blanks_and_backslashes_in_a_mount_point_are_read(void **state)
{
    (void)state;
    struct mounts *mounts = parse(usual);
    assert_string_equal(mounts_find(mounts, "/srv/my mail\\x/a"), "/srv/my mail\\x");
    mounts_free(mounts);
}

static void a_mount_hidden_by_a_later_one_is_not_found(void **state)
{
    (void)state;
    struct mounts *mounts = parse("22 1 254:0 / / rw - ext4 /dev/vda rw\n"
                                  "40 22 0:41 / /srv/mail rw - nfs4 server:/mail rw\n"
                                  "50 22 0:51 / /srv rw - tmpfs none rw\n"
                                  "51 50 0:52 / /srv rw - tmpfs second rw\n");
    assert_string_equal(mounts_find(mounts, "/srv/mail/a"), "/srv");
    assert_string_equal(mounts_find_id(mounts, 40), "/srv/mail");
    mounts_free(mounts);
}

static void the_root_mounted_over_the_first_one_is_the_root(void **state)
{
    (void)state;
    struct mounts *mounts = parse("1 1 0:2 / / rw - rootfs rootfs rw\n"
                                  "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
                                  "40 22 0:41 / /srv rw - nfs4 server:/mail rw\n");
    assert_string_equal(mounts_find(mounts, "/srv/mail"), "/srv");
    assert_string_equal(mounts_find(mounts, "/home"), "/");
    mounts_free(mounts);
}

static void lines_that_make_no_sense_are_left_out(void **state)
{
    (void)state;
    struct mounts *mounts =
        parse("\n\nx y z\n1\n1 2\n1 2 0:1\n1 2 0:1 /\n1 2 0:1 / relative rw - a b c\n"
              "-1 2 0:1 / /minus rw - a b c\n99999999999999999999 1 0:1 / /big rw - a b c\n"
              "7 1 0:1 / /srv\\9 rw - a b c\n8 7 0:1 / /no/line/feed rw");
    assert_string_equal(mounts_find(mounts, "/minus/a"), "/");
    assert_string_equal(mounts_find(mounts, "/big/a"), "/");
    assert_string_equal(mounts_find(mounts, "/srv\\9/a"), "/srv\\9");
    assert_string_equal(mounts_find_id(mounts, 8), "/no/line/feed");
    assert_null(mounts_find_id(mounts, 1));
    mounts_free(mounts);
    mounts = mounts_parse(NULL, 0);
    assert_string_equal(mounts_find(mounts, "/srv"), "/");
    mounts_free(mounts);
    assert_null(mounts_read("/nonexistent/mountinfo"));
}

static void the_kernels_list_agrees_with_the_kernel(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",        "/proc", "/proc/self", "/dev",
                                        "/dev/shm", "/tmp",  "/sys"};
    struct mounts *mounts = mounts_read("/proc/self/mountinfo");
    assert_non_null(mounts);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char real[4096];
        uint64_t id = sink_folders_mount(AT_FDCWD, paths[i]);
        if (id != 0 && realpath(paths[i], real) != NULL && strcmp(real, paths[i]) == 0)
            assert_string_equal(mounts_find(mounts, paths[i]), mounts_find_id(mounts, id));
    }
    mounts_free(mounts);
}

/* --- lanes --- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void sinks_of_one_file_system_share_a_lane(void **state)
{
    (void)state;
    struct world world;
    world_create_folder(&world);
    char list[512];
    char text[1024];
    snprintf(list, sizeof list, "%s/mountinfo", world.folder);
    snprintf(text, sizeof text,
             "900001 1 0:1 / / rw - a b c\n900002 900001 0:2 / %s/two rw - a b c\n", world.folder);
    write_file(list, text);
    world_start(&world, 4, list);

    struct sink *sinks[3];
    static const char *const names[] = {"one/a", "one/b", "two/a"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(world.path, sizeof world.path, "%s/%s", world.folder, names[i]);
        sinks[i] = world_sink(&world);
    }
    assert_string_equal(sink_mount(sinks[0]), "/");
    assert_ptr_equal(sinks[0]->lane, sinks[1]->lane);
    assert_true(sinks[0]->lane != sinks[2]->lane);
    snprintf(text, sizeof text, "%s/two", world.folder);
    assert_string_equal(sink_mount(sinks[2]), text);

    /* The list is read anew when it is old. */
    write_file(list, "900001 1 0:1 / / rw - a b c\n");
    world.sinks->mounts_read_ms -= 61000;
    sink_free(world_sink(&world));
    world_drain(&world);
    struct sink *later = world_sink(&world);
    assert_string_equal(sink_mount(later), "/");
    sink_free(later);
    for (size_t i = 0; i < 3; i++)
        sink_free(sinks[i]);
    world_stop(&world);
    world_remove_tree(world.folder);
}

static void a_root_behind_a_symbolic_link_is_found_when_it_is_opened(void **state)
{
    (void)state;
    uint64_t elsewhere = sink_folders_mount(AT_FDCWD, "/dev/shm");
    struct world world;
    world_create_folder(&world);
    char target[] = "/dev/shm/exsync-mail-XXXXXX";
    if (elsewhere == 0 || elsewhere == sink_folders_mount(AT_FDCWD, world.folder) ||
        mkdtemp(target) == NULL) {
        world_remove_tree(world.folder);
        skip();
    }
    world_start(&world, 4, NULL);
    char root[512];
    snprintf(root, sizeof root, "%s/link", world.folder);
    assert_int_equal(symlink(target, root), 0);
    snprintf(world.path, sizeof world.path, "%s/link/user", world.folder);
    struct sink_settings settings = {.path = world.path, .root = root, .mode = 0600};

    struct sink *sink = sink_create(world.sinks, &settings);
    assert_string_not_equal(sink_mount(sink), "/dev/shm");
    struct sink_opening opening = world_open(&world, sink, true, NULL, 0);
    assert_false(failure_is_set(&opening.failure));
    assert_string_equal(sink_mount(sink), "/dev/shm");
    sink_free(sink);
    sink = sink_create(world.sinks, &settings);
    assert_string_equal(sink_mount(sink), "/dev/shm");
    sink_free(sink);
    world_stop(&world);
    world_remove_tree(world.folder);
    world_remove_tree(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_on_the_mount_that_is_nearest_above_it),
        cmocka_unit_test(blanks_and_backslashes_in_a_mount_point_are_read),
        cmocka_unit_test(a_mount_hidden_by_a_later_one_is_not_found),
        cmocka_unit_test(the_root_mounted_over_the_first_one_is_the_root),
        cmocka_unit_test(lines_that_make_no_sense_are_left_out),
        cmocka_unit_test(the_kernels_list_agrees_with_the_kernel),
        cmocka_unit_test(sinks_of_one_file_system_share_a_lane),
        cmocka_unit_test(a_root_behind_a_symbolic_link_is_found_when_it_is_opened),
    };
    return cmocka_run_group_tests_name("mail: mounts", tests, NULL, NULL);
}
