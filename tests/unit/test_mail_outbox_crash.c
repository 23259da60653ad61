/* The outbox, killed at every step: each message goes out once or is in failed/ with its reason.
 * And with a disk that refuses. */
#include "mail_crash.h"

#include "outbox_world.h"

#include "base/buffer.h"

enum {
    MESSAGES = 5,
    NOT_TAKEN = 3, /* has no From */
    REFUSED = 4,   /* by the server, when it is on its way */
    LARGE_LINES = 40000,
};

static bool together; /* the messages share jobs */

/* --- what is known --- */

struct row {
    char id[OUTBOX_ID_SIZE];
    unsigned message;
    bool over; /* sent, or refused for good */
};

struct ledger {
    char path[300];
    struct row rows[2 * MESSAGES];
    size_t count;
};

static struct row *ledger_find(struct ledger *ledger, const char *id)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->rows[i].id, id) == 0)
            return &ledger->rows[i];
    }
    return NULL;
}

static void ledger_read(struct ledger *ledger, const struct world *world)
{
    *ledger = (struct ledger){0};
    snprintf(ledger->path, sizeof ledger->path, "%s/ledger", world->folder);
    FILE *file = fopen(ledger->path, "r");
    char what = 0;
    char id[OUTBOX_ID_SIZE];
    unsigned message = 0;
    while (file != NULL && fscanf(file, " %c %36s %u", &what, id, &message) == 3) {
        struct row *row = ledger_find(ledger, id);
        if (row == NULL && ledger->count < 2 * MESSAGES) {
            row = &ledger->rows[ledger->count++];
            memcpy(row->id, id, sizeof id);
            row->message = message;
        }
        if (row != NULL)
            row->over = what == 'D';
    }
    if (file != NULL)
        fclose(file);
}

static void ledger_add(struct ledger *ledger, const struct world *world, char what, const char *id,
                       unsigned message)
{
    char line[128];
    snprintf(line, sizeof line, "%c %s %u\n", what, id, message);
    crash_commit(ledger->path, line);
    ledger_read(ledger, world);
}

/* --- the messages --- */

static char *content_of(unsigned message, const char *newline, size_t *length)
{
    struct buffer text = {0};
    if (message != NOT_TAKEN)
        buffer_append_format(&text, "From: a@b%s", newline);
    buffer_append_format(&text, "Subject: %u%sMessage-ID: <%u@b>%s", message, newline, message,
                         newline);
    buffer_append_format(&text, "Date: Thu, 1 Jan 1970 00:00:01 +0000%s%s", newline, newline);
    for (unsigned line = 0; message == 1 && line < LARGE_LINES; line++)
        buffer_append_format(&text, "text%s", newline);
    *length = text.length;
    return buffer_take(&text);
}

static void put_message(const struct world *world, unsigned message)
{
    char path[1024];
    size_t length;
    char *text = content_of(message, "\n", &length);
    snprintf(path, sizeof path, "%s/new/%u", world->path, message);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    memory_free(text);
}

/* --- what the daemon does --- */

static void check(struct failure failure)
{
    if (!failure_is_set(&failure))
        return;
    fprintf(stderr, "outbox: %s\n", failure.text);
    _exit(5);
}

static void take(struct world *world, struct outbox *outbox, struct ledger *ledger, const char *id)
{
    static const struct outbox_edit edit = {0};
    uint64_t size;
    if (ledger_find(ledger, id) == NULL) {
        struct outbox_envelope envelope = inspect(world, outbox, id);
        unsigned message = (unsigned)strtoul(envelope.subject, NULL, 10);
        bool taken = envelope.problem == NULL;
        if (taken) {
            check(accept_it(world, outbox, id, &edit, &size));
            ledger_add(ledger, world, 'Q', id, message);
        } else {
            check(refuse(world, outbox, id, envelope.problem));
        }
        outbox_envelope_release(&envelope);
        if (!taken)
            return;
    }
    check(settle(world, outbox, id));
}

/* The same for all that a scan has found, in jobs that they share: all of them go through one step
 * before the next. */
static void take_together(struct world *world, struct outbox *outbox, struct ledger *ledger,
                          const struct answer *found)
{
    static const struct outbox_edit edit = {0};
    char fresh[MESSAGES][OUTBOX_ID_SIZE], taken[MESSAGES][OUTBOX_ID_SIZE];
    size_t fresh_count = 0, taken_count = 0, settled_count = 0;
    unsigned messages[MESSAGES];
    char settled[MESSAGES][OUTBOX_ID_SIZE];
    for (size_t i = 0; i < found->count; i++) {
        if (ledger_find(ledger, found->ids[i]) == NULL)
            memcpy(fresh[fresh_count++], found->ids[i], OUTBOX_ID_SIZE);
        else
            memcpy(settled[settled_count++], found->ids[i], OUTBOX_ID_SIZE);
    }
    struct many many = {0};
    if (fresh_count > 0)
        many_inspect(&many, world, outbox, fresh, fresh_count);
    for (size_t i = 0; i < fresh_count; i++) {
        check(many.failures[i]);
        if (many.envelopes[i].problem != NULL) {
            check(refuse(world, outbox, fresh[i], many.envelopes[i].problem));
        } else {
            messages[taken_count] = (unsigned)strtoul(many.envelopes[i].subject, NULL, 10);
            memcpy(taken[taken_count++], fresh[i], OUTBOX_ID_SIZE);
        }
        outbox_envelope_release(&many.envelopes[i]);
    }
    if (taken_count > 0)
        many_accept(&many, world, outbox, taken, taken_count, &edit);
    for (size_t i = 0; i < taken_count; i++) {
        check(many.failures[i]);
        ledger_add(ledger, world, 'Q', taken[i], messages[i]);
        memcpy(settled[settled_count++], taken[i], OUTBOX_ID_SIZE);
    }
    if (settled_count > 0)
        many_do(&many, world, outbox, settled, settled_count, outbox_settle);
    for (size_t i = 0; i < settled_count; i++)
        check(many.failures[i]);
}

static void send_all(struct world *world, struct outbox *outbox, struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        struct row row = ledger->rows[i];
        char name[OUTBOX_ID_SIZE + 8];
        size_t length;
        size_t right_length;
        snprintf(name, sizeof name, "%s.eml", row.id);
        if (row.message == REFUSED) {
            /* The store learns last that nothing is left to do, so it is done again when not. */
            if (!row.over)
                check(refuse(world, outbox, row.id, "The server refused it."));
        } else if (!row.over) {
            char *copy = world_read(world, "queue", name, &length);
            char *right = content_of(row.message, "\r\n", &right_length);
            if (copy == NULL || length != right_length || memcmp(copy, right, length) != 0)
                _exit(6);
            memory_free(copy);
            memory_free(right);
        }
        if (!row.over)
            ledger_add(ledger, world, 'D', row.id, row.message);
        if (row.message != REFUSED && !together)
            check(remove_it(world, outbox, row.id));
    }
}

/* What was sent goes away in jobs that it shares. */
static void remove_together(struct world *world, struct outbox *outbox, struct ledger *ledger)
{
    char sent[MESSAGES][OUTBOX_ID_SIZE];
    size_t count = 0;
    struct many many = {0};
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].message != REFUSED)
            memcpy(sent[count++], ledger->rows[i].id, OUTBOX_ID_SIZE);
    }
    if (count > 0)
        many_do(&many, world, outbox, sent, count, outbox_remove);
    for (size_t i = 0; i < count; i++)
        check(many.failures[i]);
}

/* The whole life of a process. */
static void live(struct world *world)
{
    struct ledger ledger;
    struct answer answer = {.more = true};
    ledger_read(&ledger, world);
    world_start(world, 4, NULL);
    struct outbox *outbox = outbox_create(world->executor, world->pool, world->path);
    check(open_outbox(world, outbox));
    while (answer.more) {
        scan(world, outbox, &answer);
        check(answer.failure);
        if (together)
            take_together(world, outbox, &ledger, &answer);
        for (size_t i = 0; i < answer.count && !together; i++)
            take(world, outbox, &ledger, answer.ids[i]);
    }
    send_all(world, outbox, &ledger);
    if (together)
        remove_together(world, outbox, &ledger);
    outbox_free(outbox);
    world_stop(world);
}

/* --- what must hold afterwards --- */

static void assert_once(const struct world *world)
{
    unsigned sent[MESSAGES] = {0};
    struct ledger ledger;
    ledger_read(&ledger, world);
    for (size_t i = 0; i < ledger.count; i++) {
        assert_in_range(ledger.rows[i].message, 0, MESSAGES - 1);
        assert_true(ledger.rows[i].over);
        assert_true(i == 0 || ledger.rows[i - 1].message < ledger.rows[i].message); /* in order */
        sent[ledger.rows[i].message]++;
    }
    for (unsigned message = 0; message < MESSAGES; message++)
        assert_int_equal(sent[message], message == NOT_TAKEN ? 0 : 1);
    assert_int_equal(world_count(world, "new"), 0);
    assert_int_equal(world_count(world, "intake"), 0);
    assert_int_equal(world_count(world, "queue"), 0);
    assert_int_equal(world_count(world, "kept"), 0);
}

/* Two messages are in failed/, each with its reason. */
static void assert_failed(const struct world *world)
{
    char path[1024];
    char name[300];
    unsigned messages = 0;
    snprintf(path, sizeof path, "%s/failed", world->path);
    DIR *failed = opendir(path);
    assert_non_null(failed);
    for (struct dirent *entry = readdir(failed); entry != NULL; entry = readdir(failed)) {
        const char *end = strstr(entry->d_name, ".eml");
        if (end == NULL)
            continue;
        messages++;
        snprintf(name, sizeof name, "%.36s.reason", entry->d_name);
        char *message = world_read(world, "failed", entry->d_name, NULL);
        char *reason = world_read(world, "failed", name, NULL);
        assert_non_null(reason);
        assert_string_equal(reason, strstr(message, "Subject: 4") != NULL
                                        ? "The server refused it.\n"
                                        : "It has no From address.\n");
        memory_free(message);
        memory_free(reason);
    }
    closedir(failed);
    assert_int_equal(messages, 2);
    assert_int_equal(world_count(world, "failed"), 4);
}

/* Kills a process at one point and the next one at another, until a third one gets through. Returns
 * whether the point was reached at all. */
static bool survives(int point)
{
    static const char *const folders[] = {"", "/new"};
    struct world world;
    world_create_folder(&world);
    snprintf(world.path, sizeof world.path, "%s/outbox", world.folder);
    for (size_t i = 0; i < 2; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s%s", world.path, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (unsigned message = 0; message < MESSAGES; message++)
        put_message(&world, message);
    bool killed = crash_run(&world, point, live);
    if (killed)
        crash_run(&world, 1 + point * 7 % 37, live);
    assert_false(crash_run(&world, 0, live));
    assert_once(&world);
    assert_failed(&world);
    world_remove_tree(world.folder);
    return killed;
}

static void assert_survival(bool is_together)
{
    int point = 1;
    together = is_together;
    while (survives(point) && point < CRASH_POINTS_MAX)
        point++;
    print_message("%d points\n", point - 1);
    assert_in_range(point, 60, CRASH_POINTS_MAX - 1);
}

static void what_was_submitted_survives_a_kill_at_every_step(void **state)
{
    (void)state;
    assert_survival(false);
}

static void what_shares_jobs_survives_a_kill_at_every_step(void **state)
{
    (void)state;
    assert_survival(true);
}

/* --- a disk that refuses --- */

static enum call refused_call;
static int refused_error;
static atomic_int refused_after; /* so many calls of that kind go well */

static int refuse_call(enum call call, int fd, const char *name)
{
    (void)fd;
    (void)name;
    return call == refused_call && atomic_fetch_sub(&refused_after, 1) <= 0 ? refused_error
                                                                            : FAULT_NONE;
}

static void refuse_calls(enum call call, int error, int after)
{
    fault_clear();
    refused_call = call;
    refused_error = error;
    atomic_store(&refused_after, after);
    atomic_store(&fault_hook, refuse_call);
}

static const struct outbox_edit unchanged = {0};

static void what_is_told_is_on_disk(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    uint64_t size;
    fault_clear();
    submit(it, "From: a@b\n\nx\n", id);
    assert_int_equal(fault_counts[CALL_FSYNC], 2); /* intake and new */
    fault_clear();
    assert_string_equal(accept_it(it->world, it->outbox, id, &unchanged, &size).text, "");
    assert_int_equal(fault_counts[CALL_FSYNC], 2); /* the file and queue */
    fault_clear();
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    assert_int_equal(fault_counts[CALL_FSYNC], 5); /* two files and three folders */
    fault_clear();
}

static void nothing_is_told_that_is_not_on_disk(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer;
    uint64_t size;
    char id[OUTBOX_ID_SIZE];
    world_put(it->world, "new", "message", "From: a@b\n\nx\n");
    for (int after = 0; after < 2; after++) {
        refuse_calls(CALL_FSYNC, EIO, after);
        scan(it->world, it->outbox, &answer);
        assert_string_equal(answer.failure.code, "EIO");
        assert_int_equal(answer.count, 0);
    }
    fault_clear();
    take_one(it, id);
    for (int after = 0; after < 2; after++) {
        refuse_calls(CALL_FSYNC, EIO, after);
        assert_string_equal(accept_it(it->world, it->outbox, id, &unchanged, &size).code, "EIO");
        assert_int_equal(size, 0);
        assert_int_equal(world_count(it->world, "queue"), 0);
    }
    for (int after = 0; after < 2; after++) {
        refuse_calls(CALL_FSYNC, EIO, after);
        assert_string_equal(refuse(it->world, it->outbox, id, "No.").code, "EIO");
        assert_true(world_has(it->world, "intake", id));
    }
    for (int after = 2; after < 4; after++) { /* it is moved now, and that is not on disk */
        refuse_calls(CALL_FSYNC, EIO, after);
        assert_string_equal(refuse(it->world, it->outbox, id, "No.").code, "EIO");
    }
    fault_clear();
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
}

static void a_full_disk_leaves_the_message_where_it_was(void **state)
{
    struct outbox_world *it = *state;
    uint64_t size;
    char id[OUTBOX_ID_SIZE];
    size_t length;
    char *text = content_of(1, "\n", &length);
    put_bytes(it, "new", "message", text, length);
    memory_free(text);
    take_one(it, id);
    for (int after = 0; after < 3; after++) {
        refuse_calls(CALL_WRITE, ENOSPC, after);
        struct failure failure = accept_it(it->world, it->outbox, id, &unchanged, &size);
        assert_string_equal(failure.code, "ENOSPC");
        assert_false(failure.permanent);
        assert_int_equal(world_count(it->world, "queue"), 0);
    }
    refuse_calls(CALL_OPENAT, ENOSPC, 0);
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").code, "ENOSPC");
    refuse_calls(CALL_RENAMEAT, EIO, 0);
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").code, "EIO");
    refuse_calls(CALL_RENAMEAT, EIO, 0);
    assert_string_equal(settle(it->world, it->outbox, id).code, "EIO");
    fault_clear();
    assert_true(world_has(it->world, "intake", id));
    assert_string_equal(accept_it(it->world, it->outbox, id, &unchanged, &size).text, "");
}

static void what_cannot_be_made_is_told_by_its_path(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer;
    static const enum call calls[] = {CALL_MKDIRAT, CALL_FSYNC};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        refuse_calls(calls[i], EROFS, 0);
        struct failure failure = open_outbox(it->world, it->outbox);
        assert_string_equal(failure.code, "EROFS");
        assert_non_null(strstr(failure.text, it->world->path));
    }
    world_put(it->world, "new", "message", "From: a@b\n\nx\n");
    refuse_calls(CALL_RENAMEAT, EROFS, 0);
    scan(it->world, it->outbox, &answer);
    assert_string_equal(answer.failure.code, "EROFS");
    assert_non_null(strstr(answer.failure.text, "new/message"));
    fault_clear();
}

int main(void)
{
    crash_use_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_submitted_survives_a_kill_at_every_step),
        cmocka_unit_test(what_shares_jobs_survives_a_kill_at_every_step),
        with_an_outbox(what_is_told_is_on_disk),
        with_an_outbox(nothing_is_told_that_is_not_on_disk),
        with_an_outbox(a_full_disk_leaves_the_message_where_it_was),
        with_an_outbox(what_cannot_be_made_is_told_by_its_path),
    };
    return cmocka_run_group_tests_name("mail: the outbox and kill -9", tests, NULL, NULL);
}
