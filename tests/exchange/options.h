/* The command line. README.md describes every option. */
#ifndef EXCHANGE_OPTIONS_H
#define EXCHANGE_OPTIONS_H

#include "http_server.h"
#include "loader.h"
#include "simulator.h"

#include <stdbool.h>

struct options {
    struct simulator *simulator; /* gets mailboxes, accounts and limits as they are read */
    struct http_server_settings server;
    struct loader_times times;
    uint16_t control_port;
    bool is_strict;
    const char *schema;
    const char *mailbox_pattern;
};

/* Reads the command line and does what it says, in its order. False after one line on standard
 * error when it is wrong. */
bool options_read(struct options *options, int count, char **arguments);

#endif
