/* A command of the control endpoint while it is carried out; what the control_*.c files share. */
#ifndef EXCHANGE_CONTROL_COMMAND_H
#define EXCHANGE_CONTROL_COMMAND_H

#include "base/buffer.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct item;
struct simulator;

struct command {
    struct simulator *simulator;
    struct http_server *server;
    struct MHD_Connection *connection;
    const struct buffer *body;
    json_t *answer;      /* an object, to be filled */
    struct buffer bytes; /* the answer instead, when is_raw */
    bool is_raw;
    struct buffer error; /* not empty: HTTP 400 */
};

typedef void command_function(struct command *command);

/* A parameter of the query; NULL when it is not there. */
const char *command_text(const struct command *command, const char *name);

/* A parameter that must be there: NULL after an error when it is not. */
const char *command_required(struct command *command, const char *name);

/* A number; false when the parameter is not there, or (after an error) none. */
bool command_number(struct command *command, const char *name, uint64_t *number);

/* "1", "true", "yes"; false for anything else, and when it is not there. */
bool command_flag(const struct command *command, const char *name);

void command_fail(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool command_has_failed(const struct command *command);

/* Calls `visit` for each item that the SELECTOR parameters choose; an error when they choose none
 * and `required`. The visitor may move and delete the item. The caller holds the store's lock. */
typedef void command_item_visitor(struct command *command, struct item *item, void *context);
void command_visit_items(struct command *command, bool required, command_item_visitor *visit,
                         void *context);

/* control_store.c */
command_function command_mailboxes, command_add_mailbox, command_folders, command_create_folder,
    command_renew_ids;
/* control_items.c */
command_function command_items, command_mime, command_add_mail, command_change, command_move,
    command_copy, command_delete, command_spoil;
/* control_settings.c */
command_function command_counters, command_account, command_impersonation, command_limits,
    command_transport, command_certificate;
/* control_faults.c */
command_function command_fault, command_faults, command_clear_faults;

#endif
