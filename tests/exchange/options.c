#include "options.h"

#include "access.h"
#include "base/memory.h"
#include "mailbox_store.h"
#include "timestamp.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_kind {
    OPTION_PORT = 1,
    OPTION_CONTROL_PORT,
    OPTION_THREADS,
    OPTION_TLS_CERTIFICATE,
    OPTION_TLS_KEY,
    OPTION_SCHEMA,
    OPTION_STRICT,
    OPTION_CHECK_RESPONSES,
    OPTION_ACCOUNT,
    OPTION_IMPERSONATION,
    OPTION_ACCOUNT_MAILBOX,
    OPTION_TRUST_PROXY_USER,
    OPTION_MAILBOX,
    OPTION_MAILBOXES,
    OPTION_MAILBOX_PATTERN,
    OPTION_LOAD,
    OPTION_LOAD_ALL,
    OPTION_LOAD_LARGE,
    OPTION_RECEIVED_START,
    OPTION_RECEIVED_STEP,
    OPTION_RECEIVED_GROUP,
    OPTION_PAGE_SIZE,
    OPTION_CONCURRENCY,
    OPTION_BACK_OFF,
    OPTION_REQUEST_SIZE,
    OPTION_LATENCY,
    OPTION_ENFORCE_SEND_AS,
    OPTION_NO_SEND_ITEM
};

static const struct option_name {
    const char *name;
    enum option_kind option;
    bool has_value;
    int pass; /* accounts and settings are read before mailboxes, those before messages */
} names[] = {
    {"port", OPTION_PORT, true, 0},
    {"control-port", OPTION_CONTROL_PORT, true, 0},
    {"threads", OPTION_THREADS, true, 0},
    {"tls-certificate", OPTION_TLS_CERTIFICATE, true, 0},
    {"tls-key", OPTION_TLS_KEY, true, 0},
    {"schema", OPTION_SCHEMA, true, 0},
    {"strict", OPTION_STRICT, false, 0},
    {"check-responses", OPTION_CHECK_RESPONSES, false, 0},
    {"account", OPTION_ACCOUNT, true, 0},
    {"impersonation", OPTION_IMPERSONATION, true, 1},
    {"account-mailbox", OPTION_ACCOUNT_MAILBOX, true, 1},
    {"trust-proxy-user", OPTION_TRUST_PROXY_USER, true, 0},
    {"mailbox", OPTION_MAILBOX, true, 1},
    {"mailboxes", OPTION_MAILBOXES, true, 1},
    {"mailbox-pattern", OPTION_MAILBOX_PATTERN, true, 0},
    {"load", OPTION_LOAD, true, 2},
    {"load-all", OPTION_LOAD_ALL, true, 2},
    {"load-large", OPTION_LOAD_LARGE, true, 2},
    {"received-start", OPTION_RECEIVED_START, true, 0},
    {"received-step", OPTION_RECEIVED_STEP, true, 0},
    {"received-group", OPTION_RECEIVED_GROUP, true, 0},
    {"page-size", OPTION_PAGE_SIZE, true, 0},
    {"concurrency", OPTION_CONCURRENCY, true, 0},
    {"back-off", OPTION_BACK_OFF, true, 0},
    {"request-size", OPTION_REQUEST_SIZE, true, 0},
    {"latency", OPTION_LATENCY, true, 0},
    {"enforce-send-as", OPTION_ENFORCE_SEND_AS, false, 0},
    {"no-send-item", OPTION_NO_SEND_ITEM, false, 0},
};

enum { OPTION_COUNT = sizeof names / sizeof *names, PASSES = 3 };

static bool complain(const struct option_name *name, const char *value, const char *why)
{
    fprintf(stderr, "exchange-simulator: --%s %s: %s\n", name->name, value == NULL ? "" : value,
            why);
    return false;
}

static bool read_number(const struct option_name *name, const char *value, uint64_t most,
                        uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long read = strtoull(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || *value == '-' || read > most)
        return complain(name, value, "not a number in range");
    *number = read;
    return true;
}

/* Splits A:B[:C] in place; false when there are fewer parts. The last one keeps its colons. */
static bool split(char *text, char **parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parts[i] = text;
        if (i + 1 == count)
            return true;
        text = strchr(text, ':');
        if (text == NULL)
            return false;
        *text++ = '\0';
    }
    return true;
}

/* -- Numbers --------------------------------------------------------------- */

static bool apply_number(struct options *options, const struct option_name *name, const char *value)
{
    struct simulator_limits *limits = &options->simulator->limits;
    uint64_t number;
    bool is_port = name->option == OPTION_PORT || name->option == OPTION_CONTROL_PORT;
    if (!read_number(name, value, is_port ? UINT16_MAX : UINT32_MAX, &number))
        return false;
    switch (name->option) {
    case OPTION_PORT:
        options->server.port = (uint16_t)number;
        break;
    case OPTION_CONTROL_PORT:
        options->control_port = (uint16_t)number;
        break;
    case OPTION_THREADS:
        options->server.threads = (unsigned)number;
        return number > 0 || complain(name, value, "at least one is needed");
    case OPTION_RECEIVED_STEP:
        options->times.step = (int64_t)number;
        break;
    case OPTION_RECEIVED_GROUP:
        options->times.group = (size_t)number;
        return number > 0 || complain(name, value, "a group has one message at least");
    case OPTION_PAGE_SIZE:
        limits->page_size = (unsigned)number;
        break;
    case OPTION_CONCURRENCY:
        limits->concurrency = (unsigned)number;
        break;
    case OPTION_BACK_OFF:
        limits->back_off_ms = (unsigned)number;
        break;
    case OPTION_REQUEST_SIZE:
        limits->request_size = (size_t)number;
        break;
    default:
        limits->latency_ms = (unsigned)number;
    }
    return true;
}

/* -- Mailboxes and messages ------------------------------------------------ */

/* True for a pattern with one %d or %0Nd in it, and nothing else that printf would look at. */
static bool is_pattern(const char *pattern)
{
    const char *percent = strchr(pattern, '%');
    return percent != NULL && percent[1 + strspn(percent + 1, "0123456789")] == 'd' &&
           strspn(percent + 1, "0123456789") <= 3 && strchr(percent + 1, '%') == NULL;
}

static bool make_mailboxes(struct options *options, const struct option_name *name,
                           const char *value)
{
    const char *pattern = options->mailbox_pattern;
    uint64_t count;
    if (!read_number(name, value, 10000000, &count))
        return false;
    if (!is_pattern(pattern))
        return complain(name, pattern, "the pattern needs one %d");
    size_t start = strcspn(pattern, "%");
    int width = atoi(pattern + start + 1);
    const char *rest = strchr(pattern + start, 'd') + 1;
    for (uint64_t i = 1; i <= count; i++) {
        struct buffer address = {0};
        buffer_append(&address, pattern, start);
        buffer_append_format(&address, "%0*llu%s", width, (unsigned long long)i, rest);
        store_add_mailbox(options->simulator->store, address.data);
        buffer_release(&address);
    }
    return true;
}

static struct folder *folder_to_load(struct options *options, const char *address, const char *path)
{
    struct store *store = options->simulator->store;
    return store_make_folder(store, store_add_mailbox(store, address), path);
}

static bool load(struct options *options, const struct option_name *name, char *value)
{
    char *parts[3];
    struct message_set set;
    if (!split(value, parts, 3))
        return complain(name, value, "ADDRESS:FOLDER:PATH is needed");
    if (!message_set_read(&set, parts[2]))
        return complain(name, parts[2], strerror(errno));
    loader_fill(options->simulator, folder_to_load(options, parts[0], parts[1]), &set, set.count,
                &options->times);
    message_set_release(&set);
    return true;
}

static bool load_all(struct options *options, const struct option_name *name, char *value)
{
    struct store *store = options->simulator->store;
    char *parts[3];
    uint64_t count;
    struct message_set set;
    if (!split(value, parts, 3))
        return complain(name, value, "FOLDER:PATH:COUNT is needed");
    if (!read_number(name, parts[2], 100000000, &count))
        return false;
    if (!message_set_read(&set, parts[1]))
        return complain(name, parts[1], strerror(errno));
    for (size_t i = 0; i < store_mailbox_count(store); i++)
        loader_fill(options->simulator, store_make_folder(store, store_mailbox(store, i), parts[0]),
                    &set, (size_t)count, &options->times);
    message_set_release(&set);
    return true;
}

static bool load_large(struct options *options, const struct option_name *name, char *value)
{
    char *parts[3];
    uint64_t megabytes;
    if (!split(value, parts, 3))
        return complain(name, value, "ADDRESS:FOLDER:MEGABYTES is needed");
    if (!read_number(name, parts[2], 100000, &megabytes))
        return false;
    struct message *message = message_generate("large", (size_t)megabytes);
    loader_fill(options->simulator, folder_to_load(options, parts[0], parts[1]),
                &(struct message_set){&message, 1}, 1, &options->times);
    message_release(message);
    return true;
}

/* -- All of them ----------------------------------------------------------- */

static bool apply_access(struct options *options, const struct option_name *name, char *value)
{
    struct access *access = options->simulator->access;
    char *parts[2];
    if (!split(value, parts, 2))
        return complain(name, value, "NAME:VALUE is needed");
    bool is_known = true;
    if (name->option == OPTION_ACCOUNT)
        access_set_password(access, parts[0], parts[1]);
    else if (name->option == OPTION_IMPERSONATION)
        is_known = access_set_rule(access, parts[0], parts[1]);
    else
        is_known = access_set_own_mailbox(access, parts[0], parts[1]);
    return is_known || complain(name, parts[0], "there is no such account");
}

static bool apply(struct options *options, const struct option_name *name, char *value)
{
    struct simulator *simulator = options->simulator;
    switch (name->option) {
    case OPTION_TLS_CERTIFICATE:
        options->server.certificate = value;
        return true;
    case OPTION_TLS_KEY:
        options->server.key = value;
        return true;
    case OPTION_SCHEMA:
        options->schema = value;
        return true;
    case OPTION_STRICT:
        options->is_strict = true;
        return true;
    case OPTION_CHECK_RESPONSES:
        simulator->checks_responses = true;
        return true;
    case OPTION_ENFORCE_SEND_AS:
        simulator->enforces_send_as = true;
        return true;
    case OPTION_NO_SEND_ITEM:
        simulator->sends_no_drafts = true;
        return true;
    case OPTION_ACCOUNT:
    case OPTION_IMPERSONATION:
    case OPTION_ACCOUNT_MAILBOX:
        return apply_access(options, name, value);
    case OPTION_TRUST_PROXY_USER:
        simulator->proxy_user_header = value;
        return true;
    case OPTION_MAILBOX:
        store_add_mailbox(simulator->store, value);
        return true;
    case OPTION_MAILBOXES:
        return make_mailboxes(options, name, value);
    case OPTION_MAILBOX_PATTERN:
        options->mailbox_pattern = value;
        return true;
    case OPTION_LOAD:
        return load(options, name, value);
    case OPTION_LOAD_ALL:
        return load_all(options, name, value);
    case OPTION_LOAD_LARGE:
        return load_large(options, name, value);
    case OPTION_RECEIVED_START:
        return timestamp_parse_option(value, &options->times.start) ||
               complain(name, value, "a time or seconds from now are needed");
    default:
        return apply_number(options, name, value);
    }
}

static bool read_pass(struct options *options, int count, char **arguments, int pass)
{
    struct option list[OPTION_COUNT + 1] = {0};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        list[i] =
            (struct option){names[i].name, names[i].has_value ? required_argument : no_argument,
                            NULL, (int)names[i].option};
    optind = 0; /* getopt starts anew */
    int found;
    while ((found = getopt_long(count, arguments, "", list, NULL)) != -1) {
        const struct option_name *name = found == '?' ? NULL : &names[found - 1];
        if (name == NULL)
            return false;
        if (name->pass == pass && !apply(options, name, optarg))
            return false;
    }
    if (optind < count) {
        fprintf(stderr, "exchange-simulator: %s: not an option\n", arguments[optind]);
        return false;
    }
    return true;
}

bool options_read(struct options *options, int count, char **arguments)
{
    options->server.threads = 2;
    options->mailbox_pattern = "user%05d@example.com";
    options->times = (struct loader_times){timestamp_now() - 3600, 1, 3};
    for (int pass = 0; pass < PASSES; pass++)
        if (!read_pass(options, count, arguments, pass))
            return false;
    return true;
}
