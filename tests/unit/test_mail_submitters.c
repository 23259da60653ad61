/* Who submitted a message is looked up once a scan, as name services may be slow. */
#define _GNU_SOURCE
#include "outbox_world.h"

#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdatomic.h>

static atomic_uint lookups;
static atomic_int lookup_error; /* what the name services say; 0: what they know */

/* In front of libc's. */
int getpwuid_r(uid_t user, struct passwd *entry, char *room, size_t size, struct passwd **found)
{
    /* Source: dlsym(3), for what C does not allow to be converted. */
    int (*real)(uid_t, struct passwd *, char *, size_t, struct passwd **);
    *(void **)&real = dlsym(RTLD_NEXT, "getpwuid_r");
    atomic_fetch_add(&lookups, 1);
    *found = NULL;
    return lookup_error != 0 ? lookup_error : real(user, entry, room, size, found);
}

static struct answer put_and_scan(struct outbox_world *it, unsigned count)
{
    struct answer answer;
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        world_put(it->world, "new", name, "From: a@b\n\nx\n");
    }
    scan(it->world, it->outbox, &answer);
    atomic_store(&lookups, 0);
    return answer;
}

static void check_submitter(struct outbox_world *it, const char *id)
{
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    struct passwd *user = getpwuid(getuid());
    assert_int_equal(envelope.submitter, getuid());
    assert_string_equal(envelope.submitter_name, user->pw_name);
    assert_true(envelope.group_count > 0);
    assert_int_equal(envelope.groups[0], user->pw_gid);
    outbox_envelope_release(&envelope);
}

static void a_user_is_looked_up_once_a_scan(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer = put_and_scan(it, 5);
    assert_int_equal(answer.count, 5);
    check_submitter(it, answer.ids[0]);
    unsigned first = atomic_load(&lookups);
    assert_true(first > 0);
    for (size_t i = 1; i < answer.count; i++) {
        struct outbox_envelope envelope = inspect(it->world, it->outbox, answer.ids[i]);
        assert_non_null(envelope.submitter_name);
        assert_true(envelope.group_count > 0);
        outbox_envelope_release(&envelope);
    }
    assert_int_equal(atomic_load(&lookups), first);

    /* A right that was given meanwhile counts for what comes then. */
    answer = put_and_scan(it, 1);
    check_submitter(it, answer.ids[0]);
    assert_int_equal(atomic_load(&lookups), first);
}

static void a_user_who_cannot_be_told_now_is_asked_for_again(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer = put_and_scan(it, 1);
    lookup_error = EIO;
    struct answer failed = {.world = it->world};
    outbox_inspect(it->outbox, answer.ids[0], answer_inspect, &failed);
    world_run(it->world);
    assert_string_equal(failed.failure.code, "EIO");
    outbox_envelope_release(&failed.envelope);
    lookup_error = 0;
    check_submitter(it, answer.ids[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(a_user_is_looked_up_once_a_scan),
        with_an_outbox(a_user_who_cannot_be_told_now_is_asked_for_again),
    };
    return cmocka_run_group_tests_name("mail: submitters", tests, NULL, NULL);
}
