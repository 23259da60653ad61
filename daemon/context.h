/* What every part of the daemon works with: made by the service, passed by pointer, owned there. */
#ifndef EXSYNC_DAEMON_CONTEXT_H
#define EXSYNC_DAEMON_CONTEXT_H

#include "base/executor.h"
#include "base/log.h"
#include "http/http.h"
#include "mail/outbox.h"
#include "mail/sink.h"
#include "store/store.h"

struct disks;
struct notifier;
struct sign_ins;

struct context {
    struct executor *executor;
    struct log *log;
    struct store *store;
    struct sinks *sinks;
    struct disks *disks;
    struct outbox *outbox;
    struct sign_ins *sign_ins;
    struct http_client *http;
    uint64_t test_key;         /* by which its test messages are known (backend.h) */
    struct notifier *notifier; /* NULL: owners are not told (in tests) */
};

#endif
