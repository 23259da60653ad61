/* The sink, killed at every step. */
#include "mail_crash.h"

enum { MESSAGES = 5, LARGE = 200000 };

/* --- what is known --- */

struct ledger {
    char path[300];
    bool ready; /* the Maildir was set up */
    bool known[MESSAGES];
    bool open[MESSAGES]; /* committed and not known to be delivered */
    char names[MESSAGES][SINK_NAME_SIZE];
};

static void ledger_add(const struct ledger *ledger, const char *lines)
{
    crash_commit(ledger->path, lines);
}

static void ledger_read(struct ledger *ledger, const struct world *world)
{
    *ledger = (struct ledger){0};
    snprintf(ledger->path, sizeof ledger->path, "%s/ledger", world->folder);
    FILE *file = fopen(ledger->path, "r");
    char what = 0;
    unsigned id = 0;
    char name[256];
    while (file != NULL && fscanf(file, " %c %u %255s", &what, &id, name) == 3) {
        if (what == 'R')
            ledger->ready = true;
        else if (id < MESSAGES)
            ledger->open[id] = what == 'C';
        if (what == 'C' && id < MESSAGES) {
            ledger->known[id] = true;
            snprintf(ledger->names[id], SINK_NAME_SIZE, "%.191s", name);
        }
    }
    if (file != NULL)
        fclose(file);
}

/* --- what the daemon does --- */

static char *content_of(unsigned id, size_t *length)
{
    *length = id == 3 ? LARGE : 20;
    char *bytes = memory_allocate(*length + 1);
    memset(bytes, 'a' + (int)id, *length);
    return bytes;
}

static void recover(struct world *world, struct sink *sink, struct ledger *ledger)
{
    const char *names[MESSAGES];
    unsigned ids[MESSAGES];
    size_t count = 0;
    for (unsigned id = 0; id < MESSAGES; id++) {
        if (!ledger->open[id])
            continue;
        ids[count] = id;
        names[count++] = ledger->names[id];
    }
    struct sink_opening opening = world_open(world, sink, !ledger->ready, names, count);
    if (failure_is_set(&opening.failure)) {
        fprintf(stderr, "open: %s\n", opening.failure.text);
        _exit(4);
    }
    if (opening.created)
        ledger_add(ledger, "R 0 ready\n");
    for (size_t i = 0; i < count; i++) {
        char line[64];
        snprintf(line, sizeof line, "D %u delivered\n", ids[i]);
        ledger_add(ledger, line);
    }
}

static void check(const struct failure *failures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!failure_is_set(&failures[i]))
            continue;
        fprintf(stderr, "deliver: %s\n", failures[i].text);
        _exit(5);
    }
}

/* Delivers the messages that the ledger does not know, two in the first batch. */
static void deliver(struct world *world, struct sink *sink, struct ledger *ledger)
{
    unsigned id = 0;
    while (id < MESSAGES) {
        struct sink_message *messages[MESSAGES];
        unsigned ids[MESSAGES];
        struct failure failures[MESSAGES];
        size_t count = 0;
        for (size_t most = id == 0 ? 2 : MESSAGES; id < MESSAGES && count < most; id++) {
            if (ledger->known[id])
                continue;
            size_t length;
            char *bytes = content_of(id, &length);
            ids[count] = id;
            messages[count++] = world_message(world, sink, bytes, length);
            memory_free(bytes);
        }
        world_sync(world, sink, messages, count, failures);
        check(failures, count);
        char lines[MESSAGES * 256] = "";
        for (size_t i = 0; i < count; i++)
            snprintf(lines + strlen(lines), 256, "C %u %s\n", ids[i],
                     sink_message_name(messages[i]));
        ledger_add(ledger, lines);
        world_publish(world, sink, messages, count, failures);
        check(failures, count);
        lines[0] = '\0';
        for (size_t i = 0; i < count; i++) {
            snprintf(lines + strlen(lines), 256, "D %u delivered\n", ids[i]);
            sink_release(messages[i]);
        }
        ledger_add(ledger, lines);
    }
}

/* The whole life of a process. */
static void live(struct world *world)
{
    struct ledger ledger;
    ledger_read(&ledger, world);
    world_start(world, 4, NULL);
    struct sink *sink = world_sink(world);
    recover(world, sink, &ledger);
    /* Left behind in the spool when the process ends now. */
    char *bytes = memory_allocate(LARGE);
    struct sink_message *abandoned = world_message(world, sink, bytes, LARGE);
    memory_free(bytes);
    deliver(world, sink, &ledger);
    sink_abandon(abandoned);
    sink_free(sink);
    world_drain(world);
    world_stop(world);
}

/* --- what must hold afterwards --- */

static void taken_path(const struct world *world, char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/taken/%s", world->folder, name);
}

/* Another program takes the mail out of new/. */
static void consume(const struct world *world)
{
    char path[600];
    char from[1024];
    char to[1024];
    snprintf(path, sizeof path, "%s/new", world->path);
    taken_path(world, to, sizeof to, "");
    mkdir(to, 0700);
    DIR *fresh = opendir(path);
    struct dirent *entry;
    while (fresh != NULL && (entry = readdir(fresh)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s/%.255s", path, entry->d_name);
        taken_path(world, to, sizeof to, entry->d_name);
        assert_int_equal(rename(from, to), 0);
    }
    if (fresh != NULL)
        closedir(fresh);
}

static void assert_whole(const char *path, unsigned *arrived)
{
    static char bytes[LARGE + 1];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t found = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(found > 0);
    unsigned id = (unsigned)(bytes[0] - 'a');
    assert_in_range(id, 0, MESSAGES - 1);
    size_t length;
    char *right = content_of(id, &length);
    assert_int_equal(found, length);
    assert_memory_equal(bytes, right, length);
    memory_free(right);
    arrived[id]++;
}

static void assert_exactly_once(const struct world *world)
{
    unsigned arrived[MESSAGES] = {0};
    char path[1024];
    consume(world);
    taken_path(world, path, sizeof path, "");
    DIR *taken = opendir(path);
    assert_non_null(taken);
    for (struct dirent *entry = readdir(taken); entry != NULL; entry = readdir(taken)) {
        taken_path(world, path, sizeof path, entry->d_name);
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "1.other.host") != 0)
            assert_whole(path, arrived);
    }
    closedir(taken);
    for (unsigned id = 0; id < MESSAGES; id++)
        assert_int_equal(arrived[id], 1);
    assert_int_equal(world_count(world, "new"), 0);
    struct ledger ledger;
    ledger_read(&ledger, world);
    for (unsigned id = 0; id < MESSAGES; id++)
        assert_true(ledger.known[id] && !ledger.open[id]);
}

/* Kills a process at one point and the next one at another, until a third one gets through. With a
 * consumer on every other point. Returns whether the point was reached at all. */
static bool survives(struct world *world, int point)
{
    bool killed = crash_run(world, point, live);
    if (point % 2 == 0)
        consume(world);
    if (killed)
        crash_run(world, 1 + point * 7 % 37, live);
    if (point % 2 == 0)
        consume(world);
    assert_false(crash_run(world, 0, live));
    assert_exactly_once(world);
    return killed;
}

static void a_new_maildir_survives_a_kill_at_every_step(void **state)
{
    (void)state;
    bool reached = true;
    int point = 1;
    for (; reached && point < CRASH_POINTS_MAX; point++) {
        struct world world;
        world_create_folder(&world);
        reached = survives(&world, point);
        assert_int_equal(world_count(&world, SINK_SPOOL), 1);
        assert_true(world_has(&world, SINK_SPOOL, SINK_MARKER));
        world_remove_tree(world.folder);
    }
    print_message("%d points\n", point - 1);
    assert_in_range(point, 50, CRASH_POINTS_MAX - 1);
}

/* Files of others, a committed message in the spool, one that was published, and leftovers. */
static void leave_a_crash_behind(struct world *world)
{
    static const char *const folders[] = {"..", "", "cur", "new", "tmp", SINK_SPOOL};
    char path[1024];
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", world->path, folders[i]);
        if (i == 0) /* ".." of what is not there yet */
            snprintf(path, sizeof path, "%s/example.com", world->folder);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    world_put(world, SINK_SPOOL, SINK_MARKER, "");
    world_put(world, "new", "1.other.host", "mine");
    world_put(world, SINK_SPOOL, "notes.txt", "mine");
    world_put(world, SINK_SPOOL, "1700000000.ffffffffffffb0r0000000000000001.host", "mine");
    world_put(world, SINK_SPOOL, "1700000000.0123456789abb0r0000000000000001.host",
              "aaaaaaaaaaaaaaaaaaaa");
    world_put(world, "new", "1700000000.0123456789abb0r0000000000000002.host,S=20",
              "bbbbbbbbbbbbbbbbbbbb");
    world_put(world, SINK_SPOOL, "1700000000.0123456789abb0r0000000000000003.host", "ccc");
    world_put(world, SINK_SPOOL, "1700000000.0123456789abb0r0000000000000004.host", "");
    world_put(world, "../..", "ledger",
              "R 0 ready\n"
              "C 0 1700000000.0123456789abb0r0000000000000001.host,S=20\n"
              "C 1 1700000000.0123456789abb0r0000000000000002.host,S=20\n");
}

static void recovery_survives_a_kill_at_every_step(void **state)
{
    (void)state;
    bool reached = true;
    int point = 1;
    for (; reached && point < CRASH_POINTS_MAX; point++) {
        struct world world;
        world_create_folder(&world);
        leave_a_crash_behind(&world);
        reached = survives(&world, point);
        assert_int_equal(world_count(&world, SINK_SPOOL), 3);
        assert_true(world_has(&world, SINK_SPOOL, "notes.txt"));
        assert_true(world_has(&world, "../../taken", "1.other.host"));
        world_remove_tree(world.folder);
    }
    print_message("%d points\n", point - 1);
    assert_in_range(point, 30, CRASH_POINTS_MAX - 1);
}

int main(void)
{
    crash_use_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_maildir_survives_a_kill_at_every_step),
        cmocka_unit_test(recovery_survives_a_kill_at_every_step),
    };
    return cmocka_run_group_tests_name("mail: kill -9", tests, NULL, NULL);
}
