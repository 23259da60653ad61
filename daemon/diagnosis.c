#include "daemon/diagnosis.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/uuid.h"
#include "daemon/server_test.h"
#include "daemon/service_private.h"

#include <stdio.h>
#include <string.h>

/* One request for one mailbox, on a connection of its own. */
struct diagnosis_probe {
    struct diagnosis *diagnosis;
    struct backend_operation *operation;
    struct backend_mailbox target;
    char activity[UUID_TEXT_SIZE];
};

struct diagnosis {
    struct executor *executor;
    struct profile *profile;             /* used */
    struct configuration *configuration; /* used: the addresses are its */
    struct executor_call end;
    struct server_test *server;
    struct account_test *account;
    bool forced;
    struct diagnosis_probe own;
    struct diagnosis_probe probes[DIAGNOSIS_OTHERS];
    struct diagnosis_other others[DIAGNOSIS_OTHERS];
    size_t waiting; /* others that have not answered */
    uint32_t worked;
    struct diagnosis_result result;
    diagnosed *done;
    void *argument;
};

const char *diagnosis_finding_name(enum diagnosis_finding finding)
{
    static const char *const names[] = {
        [DIAGNOSIS_WORKS] = "works",
        [DIAGNOSIS_UNREACHABLE] = "unreachable",
        [DIAGNOSIS_SIGN_IN_REFUSED] = "sign-in-refused",
        [DIAGNOSIS_WRONG_SERVER] = "wrong-server",
        [DIAGNOSIS_NO_ROLE] = "no-role",
        [DIAGNOSIS_SCOPE] = "scope",
        [DIAGNOSIS_SPREADING] = "spreading",
        [DIAGNOSIS_NO_MAILBOX] = "no-mailbox",
        [DIAGNOSIS_OTHER] = "other",
    };
    return names[finding];
}

/* --- the end --- */

static void diagnosis_free(struct diagnosis *diagnosis)
{
    executor_cancel_call(diagnosis->executor, &diagnosis->end);
    profile_release(diagnosis->profile);
    configuration_release(diagnosis->configuration);
    memory_free(diagnosis);
}

static void diagnosis_ended(void *argument)
{
    struct diagnosis *diagnosis = argument;
    diagnosis->done(diagnosis->argument, &diagnosis->result);
    diagnosis_free(diagnosis);
}

static void conclude(struct diagnosis *diagnosis, enum diagnosis_finding finding)
{
    diagnosis->result.finding = finding;
    executor_defer(diagnosis->executor, &diagnosis->end, diagnosis_ended, diagnosis);
}

void diagnosis_cancel(struct diagnosis *diagnosis)
{
    if (diagnosis->server != NULL)
        server_test_cancel(diagnosis->server);
    if (diagnosis->account != NULL)
        account_test_cancel(diagnosis->account);
    if (diagnosis->own.operation != NULL)
        backend_cancel(diagnosis->own.operation);
    for (size_t i = 0; i < DIAGNOSIS_OTHERS; i++) {
        if (diagnosis->probes[i].operation != NULL)
            backend_cancel(diagnosis->probes[i].operation);
    }
    diagnosis_free(diagnosis);
}

/* --- probing --- */

static void probe(struct diagnosis_probe *probe, struct diagnosis *diagnosis,
                  const struct config_mailbox *mailbox, backend_probe_done *done)
{
    probe->diagnosis = diagnosis;
    uuid_generate(probe->activity);
    probe->target = (struct backend_mailbox){
        .address = mailbox->address,
        .identity = mailbox->rare == NULL ? NULL : mailbox->rare->identity,
        .activity = probe->activity,
        .alone = true,
    };
    probe->operation =
        backend_probe_start(diagnosis->profile->backend, &probe->target, done, probe);
}

/* --- others --- */

static size_t count_others(const struct diagnosis *diagnosis, enum failure_category category)
{
    size_t count = 0;
    for (size_t i = 0; i < diagnosis->result.other_count; i++)
        count += diagnosis->others[i].result != DIAGNOSIS_OTHER_WORKS &&
                 diagnosis->others[i].category == category;
    return count;
}

static size_t count_working(const struct diagnosis *diagnosis)
{
    size_t count = 0;
    for (size_t i = 0; i < diagnosis->result.other_count; i++)
        count += diagnosis->others[i].result == DIAGNOSIS_OTHER_WORKS;
    return count;
}

/* This mailbox was refused each time, or is not there. */
static enum diagnosis_finding judge_with_others(const struct diagnosis *diagnosis)
{
    const struct diagnosis_result *result = &diagnosis->result;
    size_t working = count_working(diagnosis);
    if (result->failure.category == FAILURE_IMPERSONATION)
        return working > 0 ? DIAGNOSIS_SCOPE : DIAGNOSIS_NO_ROLE;
    bool none_exists = result->other_count > 0 &&
                       count_others(diagnosis, FAILURE_MAILBOX) == result->other_count &&
                       result->own != ACCOUNT_MAILBOX_THERE;
    return none_exists ? DIAGNOSIS_WRONG_SERVER : DIAGNOSIS_NO_MAILBOX;
}

static void other_probed(void *argument, const struct failure *failure)
{
    struct diagnosis_probe *probe = argument;
    struct diagnosis *diagnosis = probe->diagnosis;
    struct diagnosis_other *other = &diagnosis->others[probe - diagnosis->probes];
    probe->operation = NULL;
    if (failure == NULL)
        other->result = DIAGNOSIS_OTHER_WORKS;
    else if (failure->category == FAILURE_IMPERSONATION)
        other->result = DIAGNOSIS_OTHER_REFUSED;
    else
        other->result = DIAGNOSIS_OTHER_FAILED;
    other->category = failure == NULL ? FAILURE_NONE : failure->category;
    if (--diagnosis->waiting == 0)
        conclude(diagnosis, judge_with_others(diagnosis));
}

static bool is_another(const struct diagnosis *diagnosis, const struct config_mailbox *mailbox)
{
    return strcmp(mailbox->settings->profile->name, diagnosis->profile->config->name) == 0 &&
           strcmp(mailbox->address, diagnosis->result.address) != 0;
}

/* Each one is among the chosen ones with the same chance. */
static size_t choose_others(struct diagnosis *diagnosis,
                            const struct config_mailbox *chosen[DIAGNOSIS_OTHERS])
{
    const struct config *config = diagnosis->configuration->config;
    size_t seen = 0;
    for (size_t i = 0; i < config->mailbox_count; i++) {
        const struct config_mailbox *mailbox = &config->mailboxes[i];
        if (!is_another(diagnosis, mailbox))
            continue;
        uint64_t place = seen < DIAGNOSIS_OTHERS ? seen : random_below(seen + 1);
        seen++;
        if (place < DIAGNOSIS_OTHERS)
            chosen[place] = mailbox;
    }
    diagnosis->result.others_configured = seen;
    return seen < DIAGNOSIS_OTHERS ? seen : DIAGNOSIS_OTHERS;
}

static void probe_others(struct diagnosis *diagnosis)
{
    const struct config_mailbox *chosen[DIAGNOSIS_OTHERS];
    size_t count = choose_others(diagnosis, chosen);
    diagnosis->result.others = diagnosis->others;
    diagnosis->result.other_count = count;
    diagnosis->waiting = count;
    for (size_t i = 0; i < count; i++) {
        diagnosis->others[i].address = chosen[i]->address;
        probe(&diagnosis->probes[i], diagnosis, chosen[i], other_probed);
    }
    if (count == 0)
        conclude(diagnosis, judge_with_others(diagnosis));
}

/* --- this mailbox --- */

static bool shows_another_server(const struct failure *failure)
{
    return failure->category == FAILURE_CONFIGURATION || failure->category == FAILURE_PROTOCOL;
}

static void judge_own(struct diagnosis *diagnosis)
{
    const struct diagnosis_result *result = &diagnosis->result;
    enum failure_category category = result->failure.category;
    if (result->refused > 0 && diagnosis->worked > 0)
        conclude(diagnosis, DIAGNOSIS_SPREADING);
    else if (!failure_is_set(&result->failure))
        conclude(diagnosis, DIAGNOSIS_WORKS);
    else if (category == FAILURE_IMPERSONATION || category == FAILURE_MAILBOX)
        probe_others(diagnosis);
    else if (category == FAILURE_AUTHENTICATION)
        conclude(diagnosis, DIAGNOSIS_SIGN_IN_REFUSED);
    else
        conclude(diagnosis,
                 shows_another_server(&result->failure) ? DIAGNOSIS_WRONG_SERVER : DIAGNOSIS_OTHER);
}

static void probe_own(struct diagnosis *diagnosis);

/* A refusal says more than anything else that comes between. */
static void own_probed(void *argument, const struct failure *failure)
{
    struct diagnosis_probe *probe = argument;
    struct diagnosis *diagnosis = probe->diagnosis;
    struct diagnosis_result *result = &diagnosis->result;
    probe->operation = NULL;
    result->tries++;
    if (failure == NULL) {
        diagnosis->worked++;
    } else if (failure->category == FAILURE_IMPERSONATION) {
        result->refused++;
        result->failure = *failure;
    } else if (!failure_is_set(&result->failure)) {
        result->failure = *failure;
    }
    bool useless = failure != NULL && failure->category == FAILURE_AUTHENTICATION;
    if (result->tries < DIAGNOSIS_TRIES && !useless)
        probe_own(diagnosis);
    else
        judge_own(diagnosis);
}

static void probe_own(struct diagnosis *diagnosis)
{
    const struct config *config = diagnosis->configuration->config;
    probe(&diagnosis->own, diagnosis, config_find_mailbox(config, diagnosis->result.address),
          own_probed);
}

/* --- the server and the account --- */

/* Returns false when the last step says enough. */
static bool takes_steps(struct diagnosis *diagnosis, const struct test_step *steps, size_t count)
{
    const struct test_step *last = &steps[count - 1];
    if (last->result != TEST_FAILED)
        return true;
    diagnosis->result.failure = last->failure;
    snprintf(diagnosis->result.detail, sizeof diagnosis->result.detail, "%s", last->detail);
    if (last->failure.category == FAILURE_AUTHENTICATION)
        conclude(diagnosis, DIAGNOSIS_SIGN_IN_REFUSED);
    else if (shows_another_server(&last->failure))
        conclude(diagnosis, DIAGNOSIS_WRONG_SERVER);
    else
        conclude(diagnosis, DIAGNOSIS_UNREACHABLE);
    return false;
}

static void account_was_tested(void *argument, const struct test_step *steps, size_t count,
                               enum account_mailbox own)
{
    struct diagnosis *diagnosis = argument;
    diagnosis->account = NULL;
    diagnosis->result.own = own;
    if (takes_steps(diagnosis, steps, count))
        probe_own(diagnosis);
}

static void server_was_tested(void *argument, const struct test_step *steps, size_t count)
{
    struct diagnosis *diagnosis = argument;
    diagnosis->server = NULL;
    if (takes_steps(diagnosis, steps, count))
        diagnosis->account = account_test_start(diagnosis->profile, diagnosis->forced,
                                                account_was_tested, diagnosis);
}

struct diagnosis *diagnosis_start(struct service *service, const struct mailbox *mailbox,
                                  bool forced, diagnosed *done, void *argument)
{
    struct diagnosis *diagnosis = memory_allocate(sizeof *diagnosis);
    diagnosis->executor = service->context.executor;
    diagnosis->profile = mailbox->profile;
    profile_use(diagnosis->profile);
    diagnosis->configuration = mailbox->configuration;
    configuration_use(diagnosis->configuration);
    diagnosis->forced = forced;
    diagnosis->done = done;
    diagnosis->argument = argument;
    diagnosis->result.profile = mailbox->config->settings->profile;
    diagnosis->result.address = mailbox->config->address;
    diagnosis->server = server_test_start(diagnosis->profile, server_was_tested, diagnosis);
    return diagnosis;
}
