/* Kills a process that writes, at random moments, and looks at what it leaves behind. EXSYNC_KILLS
 * sets how often. */
#include "store_support.h"

#include "base/random.h"

#include <signal.h>
#include <sys/wait.h>

enum { KILLS = 20, WRITERS = 8, BATCH = 5, ROUNDS_MAX = 1000000, LIFE_MS = 80 };

static size_t kills(void)
{
    const char *text = getenv("EXSYNC_KILLS");
    long number = text != NULL ? strtol(text, NULL, 10) : 0;
    return number > 0 ? (size_t)number : KILLS;
}

/* What the child tells once an operation's `done` came: it must hold for good. */
struct promise {
    uint64_t item; /* the first of BATCH */
    uint8_t state;
};

struct writer {
    struct fixture *fixture;
    struct store_mailbox mailbox;
    uint64_t *next;
    int pipe;
    struct store_delivery deliveries[BATCH];
    struct digest items[BATCH];
};

static void promise(const struct writer *writer, enum store_item_state state)
{
    struct promise made = {.state = (uint8_t)state};
    memcpy(&made.item, writer->items[0].bytes, sizeof made.item);
    if (write(writer->pipe, &made, sizeof made) != sizeof made)
        _exit(3);
}

static void deliver_next(struct writer *writer);

static void delivered(void *argument, const struct failure *failure)
{
    struct writer *writer = argument;
    if (failure != NULL)
        _exit(4);
    promise(writer, STORE_ITEM_DELIVERED);
    deliver_next(writer);
}

static void delivering(void *argument, const struct failure *failure)
{
    struct writer *writer = argument;
    if (failure != NULL || writer->deliveries[0].duplicate)
        _exit(5);
    promise(writer, STORE_ITEM_DELIVERING);
    store_ledger_delivered(writer->fixture->store, writer->mailbox, writer->items, BATCH, NOW,
                           delivered, writer);
}

static void deliver_next(struct writer *writer)
{
    for (size_t i = 0; i < BATCH; i++) {
        uint64_t number = ++*writer->next;
        writer->items[i] = support_digest(number);
        writer->deliveries[i] = (struct store_delivery){
            .key = support_key(number, number), .name = "name", .reference = "reference"};
    }
    store_ledger_deliver(writer->fixture->store, writer->mailbox, writer->deliveries, BATCH, NOW,
                         delivering, writer);
}

static void write_until_killed(struct fixture *fixture, uint64_t next, int pipe)
{
    static struct writer writers[WRITERS];
    fixture->executor = executor_create();
    support_open(fixture);
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct writer){.fixture = fixture, .mailbox = mailbox, .next = &next, .pipe = pipe};
        deliver_next(&writers[i]);
    }
    executor_run(fixture->executor);
}

static size_t check_promises(struct fixture *fixture, struct store_mailbox mailbox, int pipe)
{
    size_t count = 0;
    struct promise made;
    while (read(pipe, &made, sizeof made) == sizeof made) {
        for (uint64_t i = 0; i < BATCH; i++) {
            enum store_item_state state =
                support_check(fixture, mailbox, support_key(made.item + i, 0));
            assert_true(state >= made.state && state <= STORE_ITEM_DELIVERED);
        }
        count++;
    }
    return count;
}

static void what_was_done_survives_a_kill_at_any_moment(void **state)
{
    struct fixture *fixture = *state;
    size_t promised = 0;
    uint64_t next = 0;
    /* A slow machine gets more time, until something was promised. */
    useconds_t life = LIFE_MS * 1000;
    for (size_t turn = 0; turn < kills() || promised == 0; turn++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            write_until_killed(fixture, next, ends[1]);
            _exit(6);
        }
        close(ends[1]);
        next += ROUNDS_MAX;
        usleep((useconds_t)random_below(life));
        life += promised == 0 ? life / 8 : 0;
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));

        support_open(fixture);
        struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
        promised += check_promises(fixture, mailbox, ends[0]);
        close(ends[0]);
        assert_int_equal(support_number(fixture, "SELECT count(*) FROM pragma_integrity_check"
                                                 " WHERE integrity_check = 'ok'"),
                         1);
        /* All of an operation or nothing of it. */
        assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger") % BATCH, 0);
        support_close(fixture);
    }
    print_message("%zu kills, %zu promises kept\n", kills(), promised);
    assert_true(promised > 0);
}

static void a_kill_while_it_is_created_leaves_something_to_go_on_with(void **state)
{
    struct fixture *fixture = *state;
    for (size_t turn = 0; turn < kills(); turn++) {
        pid_t child = fork();
        if (child == 0) {
            fixture->executor = executor_create();
            support_open(fixture);
            support_close(fixture);
            _exit(0);
        }
        usleep((useconds_t)random_below(20000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        support_open(fixture);
        assert_int_equal(strlen(store_instance(fixture->store)), 32);
        support_mailbox(fixture, "a@x");
        support_close(fixture);
        support_remove_directory(fixture);
        support_make_directory(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup_closed, support_teardown)
        TEST(what_was_done_survives_a_kill_at_any_moment),
        TEST(a_kill_while_it_is_created_leaves_something_to_go_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
