/* Sign-ins that were refused are remembered over a restart. */
#include "store/store_alerts.h"
#include "store_support.h"

struct loaded {
    struct outcome outcome;
    size_t count;
    char profiles[4][16];
    struct store_sign_in sign_ins[4];
};

static void each(void *argument, const char *profile, const struct store_sign_in *sign_in)
{
    struct loaded *loaded = argument;
    assert_true(loaded->count < 4);
    assert_false(loaded->outcome.done);
    snprintf(loaded->profiles[loaded->count], sizeof loaded->profiles[0], "%s", profile);
    loaded->sign_ins[loaded->count++] = *sign_in;
}

static void loaded_done(void *argument, const struct failure *failure)
{
    support_done(&((struct loaded *)argument)->outcome, failure);
}

static struct loaded load(struct fixture *fixture)
{
    struct loaded loaded = {.outcome.fixture = fixture};
    store_sign_ins_load(fixture->store, each, loaded_done, &loaded);
    support_wait(&loaded.outcome);
    assert_false(loaded.outcome.failed);
    return loaded;
}

static void save(struct fixture *fixture, const char *name, uint32_t mark, uint32_t refused,
                 int64_t last_ms)
{
    char profile[16];
    struct store_sign_in sign_in = {.mark = mark, .refused = refused, .last_ms = last_ms};
    struct outcome outcome = {.fixture = fixture};
    snprintf(profile, sizeof profile, "%s", name);
    store_sign_in_save(fixture->store, profile, &sign_in, support_done, &outcome);
    profile[0] = '?';
    sign_in = (struct store_sign_in){0};
    support_wait(&outcome);
    assert_false(outcome.failed);
}

static void what_was_saved_is_loaded_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(load(fixture).count, 0);
    save(fixture, "p", UINT32_MAX, 3, NOW);
    save(fixture, "q", 7, 1, NOW + 1);
    save(fixture, "p", 4000000000, 4, NOW + 2);
    support_close(fixture);
    support_open(fixture);
    struct loaded loaded = load(fixture);
    assert_int_equal(loaded.count, 2);
    assert_string_equal(loaded.profiles[0], "p");
    assert_int_equal(loaded.sign_ins[0].mark, 4000000000);
    assert_int_equal(loaded.sign_ins[0].refused, 4);
    assert_int_equal(loaded.sign_ins[0].last_ms, NOW + 2);
    assert_string_equal(loaded.profiles[1], "q");
    assert_int_equal(loaded.sign_ins[1].refused, 1);
}

static void one_that_is_not_refused_any_more_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    save(fixture, "p", 1, 3, NOW);
    save(fixture, "q", 1, 3, NOW);
    save(fixture, "p", 1, 0, NOW);
    struct loaded loaded = load(fixture);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.profiles[0], "q");
}

static void house_keeping_forgets_old_ones(void **state)
{
    struct fixture *fixture = *state;
    bool more = true;
    save(fixture, "p", 1, 3, NOW);
    save(fixture, "q", 1, 3, NOW + 1);
    MUST_SUCCEED(fixture, store_prune(fixture->store, 0, NOW + 1, &more, support_done, &outcome));
    struct loaded loaded = load(fixture);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.profiles[0], "q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_was_saved_is_loaded_after_a_restart),
        TEST(one_that_is_not_refused_any_more_is_forgotten),
        TEST(house_keeping_forgets_old_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
