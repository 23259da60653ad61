/* Control commands about counters, accounts, limits, Transport and the certificate. */
#include "access.h"
#include "control_command.h"
#include "counters.h"
#include "http_server.h"
#include "mailbox_store.h"
#include "simulator.h"
#include "transport.h"

#include <string.h>

static void put_counter(const char *name, uint64_t value, void *context)
{
    json_object_set_new(context, name, json_integer((json_int_t)value));
}

/* Peaks are kept with the mailboxes: brings them over. */
static void collect_peaks(struct simulator *simulator)
{
    store_lock_for_reading(simulator->store);
    for (size_t i = 0; i < store_mailbox_count(simulator->store); i++) {
        struct mailbox *mailbox = store_mailbox(simulator->store, i);
        unsigned peak = atomic_load(&mailbox->running_peak);
        if (peak > 0)
            counters_raise(simulator->counters, "mailbox_concurrency.", mailbox->address, peak);
    }
    store_unlock(simulator->store);
}

static void reset_counters(struct simulator *simulator)
{
    counters_reset(simulator->counters);
    store_lock_for_reading(simulator->store);
    for (size_t i = 0; i < store_mailbox_count(simulator->store); i++)
        atomic_store(&store_mailbox(simulator->store, i)->running_peak, 0);
    store_unlock(simulator->store);
}

void command_counters(struct command *command)
{
    struct simulator *simulator = command->simulator;
    const char *name = command_text(command, "get");
    collect_peaks(simulator);
    if (name != NULL) {
        command->is_raw = true;
        buffer_append_format(&command->bytes, "%llu\n",
                             (unsigned long long)counters_get(simulator->counters, name));
    } else {
        counters_visit(simulator->counters, put_counter, command->answer);
    }
    if (command_flag(command, "reset"))
        reset_counters(simulator);
}

void command_account(struct command *command)
{
    const char *name = command_required(command, "name");
    const char *password = command_required(command, "password");
    if (name != NULL && password != NULL)
        access_set_password(command->simulator->access, name, password);
}

void command_impersonation(struct command *command)
{
    struct access *access = command->simulator->access;
    const char *account = command_required(command, "account");
    const char *grant = command_text(command, "grant");
    const char *revoke = command_text(command, "revoke");
    uint64_t number;
    int server = ACCESS_ALL_SERVERS;
    if (account == NULL)
        return;
    if (command_number(command, "server", &number))
        server = (int)(number % ACCESS_SERVERS);
    if (grant == NULL && revoke == NULL)
        command_fail(command, "grant or revoke is needed");
    bool is_known = (grant == NULL || access_grant(access, account, grant, server)) &&
                    (revoke == NULL || access_revoke(access, account, revoke, server));
    if (!is_known)
        command_fail(command, "there is no account %s", account);
}

void command_limits(struct command *command)
{
    struct simulator_limits *limits = &command->simulator->limits;
    uint64_t number;
    if (command_number(command, "page_size", &number))
        limits->page_size = (unsigned)number;
    if (command_number(command, "concurrency", &number))
        limits->concurrency = (unsigned)number;
    if (command_number(command, "back_off", &number))
        limits->back_off_ms = (unsigned)number;
    if (command_number(command, "request_size", &number))
        limits->request_size = (size_t)number;
    if (command_number(command, "too_large", &number) && number >= 400 && number < 600)
        limits->too_large_status = (unsigned)number;
    if (command_number(command, "latency", &number))
        limits->latency_ms = (unsigned)number;
}

void command_transport(struct command *command)
{
    struct simulator *simulator = command->simulator;
    const char *state = command_text(command, "state");
    const char *sent_items = command_text(command, "sent_items");
    static const char *const copies[] = {
        [COPIES_IMMEDIATE] = "immediate", [COPIES_HELD] = "held", [COPIES_DELETED] = "deleted"};
    enum transport_copies chosen = COPIES_IMMEDIATE;
    while (sent_items != NULL && chosen <= COPIES_DELETED &&
           strcmp(sent_items, copies[chosen]) != 0)
        chosen++;
    if (chosen > COPIES_DELETED ||
        (state != NULL && strcmp(state, "stopped") != 0 && strcmp(state, "running") != 0)) {
        command_fail(command,
                     "state is stopped or running, sent_items is immediate, held or deleted");
        return;
    }
    if (command_text(command, "send_item") != NULL)
        simulator->sends_no_drafts = !command_flag(command, "send_item");
    if (command_text(command, "keep_properties") != NULL)
        simulator->keeps_properties = command_flag(command, "keep_properties");
    if (command_text(command, "keep_message_id") != NULL)
        simulator->renews_message_ids = !command_flag(command, "keep_message_id");
    store_lock_for_writing(simulator->store);
    if (sent_items != NULL)
        transport_set_copies(simulator->transport, chosen);
    if (state != NULL)
        transport_set_running(simulator->transport, strcmp(state, "running") == 0);
    store_unlock(simulator->store);
}

void command_certificate(struct command *command)
{
    const char *certificate = command_required(command, "certificate");
    const char *key = command_required(command, "key");
    if (certificate != NULL && key != NULL &&
        !http_server_set_certificate(command->server, certificate, key))
        command_fail(command, "the certificate cannot be used, or the server speaks plain HTTP");
}
