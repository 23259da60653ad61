/* Profiles when a configuration is taken into use: what is tried again, and what is not. */
#include "daemon_stop_world.h"

#include "daemon/service_private.h"

static struct service service;
static struct config config;
static struct config_profile changed; /* another configuration's */
static struct configuration configuration;
static struct fixture *world;

/* --- the store of what is paused --- */

void store_pauses_load(struct store *store,
                       void (*each)(void *argument, const struct store_pause *pause),
                       store_done *done, void *argument)
{
    (void)store, (void)each;
    store_answer_later(done, argument, NULL);
}

void store_profile_pause(struct store *store, const struct store_pause *pause, store_done *done,
                         void *argument)
{
    (void)store, (void)pause;
    store_answer_later(done, argument, NULL);
}

void store_profile_resume(struct store *store, const char *profile, store_done *done,
                          void *argument)
{
    (void)store, (void)profile;
    store_answer_later(done, argument, NULL);
}

static void ignored(void *argument, const struct failure *failure)
{
    (void)argument;
    assert_null(failure);
}

/* The world's own profile is not used here: the service makes it. */
static int begin(void **state)
{
    set_up(state);
    world = *state;
    memset(&service, 0, sizeof service);
    service.context = world->context;
    service.pauses = pauses_create(NULL);
    scheduler_init(&service.scheduler, &service.context, never_started, outcome_try_storage,
                   &service);
    config = (struct config){.profiles = &world->profile_config, .profile_count = 1};
    configuration = (struct configuration){.config = &config, .users = 1000};
    service_take_profiles(&service, &configuration);
    return 0;
}

static int end(void **state)
{
    struct profile *profile;
    answer_all();
    while ((profile = TAILQ_FIRST(&service.scheduler.profiles)) != NULL)
        profile_release(profile);
    scheduler_release(&service.scheduler);
    pauses_free(service.pauses);
    return tear_down(state);
}

static struct profile *in_use(void)
{
    return service_profile(&service, "contoso");
}

/* A cycle of the profile in use meets the failure. */
static void meet(const struct failure *failure)
{
    struct direction direction = {.mailbox = &world->mailboxes[0]};
    const struct cycle cycle = {.context = &service.context,
                                .mailbox = &world->mailboxes[0],
                                .profile = in_use(),
                                .failure = *failure};
    direction.gate_generation = gate_enter(&in_use()->gate);
    outcome_settle(&service.scheduler, &direction, &cycle);
}

static const struct failure no_route = {
    .category = FAILURE_NETWORK, .scope = FAILURE_SCOPE_PROFILE, .code = "ECONNREFUSED"};

static void a_reload_tries_a_server_that_was_away_at_once(void **state)
{
    (void)state;
    meet(&no_route);
    assert_int_equal(in_use()->gate.state, GATE_CLOSED);
    service_take_profiles(&service, &configuration);
    assert_int_equal(in_use()->gate.state, GATE_TRYING);
    assert_int_equal(server.resets, 1);
}

static void a_reload_does_not_try_a_refused_password_again(void **state)
{
    (void)state;
    struct profile *before = in_use();
    meet(&refused_sign_in);
    answer_all();
    for (int i = 0; i < 3; i++)
        service_take_profiles(&service, &configuration);
    assert_ptr_equal(in_use(), before);
    assert_int_equal(before->gate.state, GATE_CLOSED);
    changed = world->profile_config;
    changed.max_connections++; /* a profile of its own, with the same password */
    config.profiles = &changed;
    service_take_profiles(&service, &configuration);
    assert_ptr_not_equal(in_use(), before);
    assert_int_equal(in_use()->gate.state, GATE_CLOSED);
    assert_int_equal(server.resets, 0);
    assert_int_equal(kept.sign_in.refused, 1);
}

static void a_reload_tries_a_new_password_at_once(void **state)
{
    (void)state;
    meet(&refused_sign_in);
    answer_all();
    changed = world->profile_config;
    changed.password = secret_create("another", 7);
    config.profiles = &changed;
    service_take_profiles(&service, &configuration);
    assert_int_equal(in_use()->gate.state, GATE_OPEN);
    assert_int_equal(kept.sign_in.refused, 0);
    secret_free(changed.password);
}

static void a_reload_tries_a_ticket_of_others_again(void **state)
{
    (void)state;
    changed = world->profile_config;
    changed.password = NULL;
    config.profiles = &changed;
    service_take_profiles(&service, &configuration);
    meet(&refused_sign_in);
    answer_all();
    service_take_profiles(&service, &configuration);
    assert_int_equal(in_use()->gate.state, GATE_TRYING);
}

static void no_gate_is_tried_before_the_refusal_is_on_disk(void **state)
{
    (void)state;
    meet(&refused_sign_in);
    struct gate *gate = &in_use()->gate;
    for (int i = 0; i < 3; i++) {
        gate_try_now(gate); /* its wait is over, or an administrator wishes it */
        assert_int_equal(gate->state, GATE_CLOSED);
        assert_in_range(gate->timer.entry.key - executor_now(world->executor), 1, 5000);
    }
    assert_int_equal(server.resets, 0);
    answer_all();
    gate_try_now(gate);
    assert_int_equal(gate->state, GATE_TRYING);
    assert_int_equal(server.resets, 1);
}

static void a_profile_that_left_the_configuration_goes(void **state)
{
    (void)state;
    config.profile_count = 0;
    service_take_profiles(&service, &configuration);
    service_retire_profiles(&service, &config);
    assert_null(in_use());
    assert_true(TAILQ_EMPTY(&service.scheduler.profiles)); /* no mailbox holds it */
}

static void a_profile_that_is_paused_stays_so_when_another_takes_its_place(void **state)
{
    (void)state;
    const struct store_pause pause = {.profile = "contoso", .since_ms = 1, .user = 2};
    pauses_add(service.pauses, &pause, NULL, ignored, NULL);
    assert_null(pauses_find(service.pauses, "contoso")); /* not before it is on disk */
    answer_all();
    assert_int_equal(pauses_find(service.pauses, "contoso")->user, 2);
    struct profile *before = in_use();
    changed = world->profile_config;
    changed.url = "https://other.example.com/EWS/Exchange.asmx";
    config.profiles = &changed;
    service_take_profiles(&service, &configuration);
    assert_ptr_not_equal(in_use(), before);
    assert_true(in_use()->paused);
    pauses_remove(service.pauses, "contoso", NULL, ignored, NULL);
    answer_all();
    assert_null(pauses_find(service.pauses, "contoso"));
}

#define with_service(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_service(a_reload_tries_a_server_that_was_away_at_once),
        with_service(a_reload_does_not_try_a_refused_password_again),
        with_service(a_reload_tries_a_new_password_at_once),
        with_service(a_reload_tries_a_ticket_of_others_again),
        with_service(no_gate_is_tried_before_the_refusal_is_on_disk),
        with_service(a_profile_that_left_the_configuration_goes),
        with_service(a_profile_that_is_paused_stays_so_when_another_takes_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
