/* The Exchange simulator. */
#include "access.h"
#include "control.h"
#include "counters.h"
#include "faults.h"
#include "http_server.h"
#include "mailbox_store.h"
#include "options.h"
#include "schema.h"
#include "simulator.h"
#include "transport.h"

#include <libxml/parser.h>
#include <libxml/xmlschemastypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_COMMAND_LINE = 2,
    EXIT_INVALID = 3,
    DEFAULT_PAGE_SIZE = 1000,
    DEFAULT_BACK_OFF_MS = 1000,
    DEFAULT_REQUEST_SIZE = 64 << 20,
    DEFAULT_TOO_LARGE_STATUS = 413
};

static void create(struct simulator *simulator)
{
    simulator->store = store_create();
    simulator->access = access_create();
    simulator->faults = faults_create();
    simulator->counters = counters_create();
    simulator->transport = transport_create(simulator);
    simulator->limits.page_size = DEFAULT_PAGE_SIZE;
    simulator->limits.back_off_ms = DEFAULT_BACK_OFF_MS;
    simulator->limits.request_size = DEFAULT_REQUEST_SIZE;
    simulator->limits.too_large_status = DEFAULT_TOO_LARGE_STATUS;
}

static void release(struct simulator *simulator)
{
    transport_free(simulator->transport);
    schema_free(simulator->schema);
    counters_free(simulator->counters);
    faults_free(simulator->faults);
    access_free(simulator->access);
    store_free(simulator->store);
    xmlSchemaCleanupTypes();
    xmlCleanupParser();
}

/* Status 3 when something was invalid that must not be. */
static int judge(const struct simulator *simulator, bool is_strict)
{
    bool is_invalid = (is_strict && counters_get(simulator->counters, "schema.invalid_requests")) ||
                      counters_get(simulator->counters, "schema.invalid_responses");
    return is_invalid ? EXIT_INVALID : EXIT_SUCCESS;
}

/* Listens, says so, and waits for the end. */
static int serve(struct simulator *simulator, const struct options *options,
                 const sigset_t *signals)
{
    const char *error = NULL;
    struct http_server *server = http_server_start(simulator, &options->server, &error);
    if (server == NULL) {
        fprintf(stderr, "exchange-simulator: cannot listen: %s\n", error);
        return EXIT_FAILURE;
    }
    struct control *control = control_start(simulator, server, options->control_port);
    if (control == NULL) {
        fprintf(stderr, "exchange-simulator: cannot listen for control\n");
        http_server_stop(server);
        return EXIT_FAILURE;
    }
    printf("ready %s control %s\n", http_server_url(server), control_url(control));
    fflush(stdout);
    int signal_number;
    sigwait(signals, &signal_number);
    control_stop(control);
    http_server_stop(server);
    return judge(simulator, options->is_strict);
}

int main(int count, char **arguments)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    xmlInitParser();

    struct simulator simulator = {0};
    struct options options = {.simulator = &simulator};
    create(&simulator);
    int status = EXIT_COMMAND_LINE;
    if (options_read(&options, count, arguments)) {
        simulator.schema = options.schema == NULL ? NULL : schema_load(options.schema);
        if (options.schema != NULL && simulator.schema == NULL)
            fprintf(stderr, "exchange-simulator: no schema in %s\n", options.schema);
        else
            status = serve(&simulator, &options, &signals);
    }
    release(&simulator);
    return status;
}
