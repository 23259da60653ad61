/* Control commands that script faults. */
#include "base/memory.h"
#include "control_command.h"
#include "faults.h"
#include "simulator.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *parameter;
    const char *value;
    enum fault_action action;
} actions[] = {
    {"close", "before", FAULT_CLOSE_BEFORE},
    {"close", "after", FAULT_CLOSE_AFTER},
    {"close", "middle", FAULT_CLOSE_MIDDLE},
    {"body", "truncated", FAULT_TRUNCATED},
    {"body", "garbage", FAULT_GARBAGE},
    {"body", "html", FAULT_HTML},
    {"body", "empty", FAULT_EMPTY},
    {"body", "endless", FAULT_ENDLESS},
    {"body", "deep", FAULT_DEEP},
    {"body", "doctype", FAULT_DOCTYPE},
};

static char *copy_of(const struct command *command, const char *name)
{
    return memory_copy_string(command_text(command, name));
}

static unsigned number_of(struct command *command, const char *name, unsigned otherwise)
{
    uint64_t number = otherwise;
    command_number(command, name, &number);
    return (unsigned)number;
}

/* Takes header=Name: value, each time that it is given. */
static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct fault *fault = context;
    const char *colon = value == NULL ? NULL : strchr(value, ':');
    if (strcmp(name, "header") != 0 || colon == NULL)
        return MHD_YES;
    fault->headers =
        memory_resize(fault->headers, (fault->header_count + 1) * sizeof *fault->headers);
    fault->headers[fault->header_count++] =
        (struct fault_header){memory_copy_bytes(value, (size_t)(colon - value)),
                              memory_copy_string(colon + 1 + strspn(colon + 1, " "))};
    return MHD_YES;
}

/* close= and body= choose by their value; a body beside http= is only text. */
static void read_named_action(struct command *command, struct fault *fault)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        const char *value = command_text(command, actions[i].parameter);
        if (value != NULL && strcmp(value, actions[i].value) == 0)
            fault->action = actions[i].action;
    }
    if (fault->action == FAULT_DELAY_ONLY &&
        (command_text(command, "close") != NULL || command_text(command, "body") != NULL))
        command_fail(command, "close or body has a value that is not known");
}

static void read_action(struct command *command, struct fault *fault)
{
    if (command_text(command, "http") != NULL) {
        fault->action = FAULT_HTTP;
        fault->status = number_of(command, "http", 500);
        fault->text = copy_of(command, "body");
        fault->carried_out = command_flag(command, "carried_out");
        MHD_get_connection_values(command->connection, MHD_GET_ARGUMENT_KIND, take_header, fault);
    } else if (command_text(command, "soap") != NULL) {
        const char *detail = command_text(command, "detail");
        fault->action = FAULT_SOAP;
        fault->soap_code = copy_of(command, "soap");
        fault->prefix = copy_of(command, "prefix");
        fault->without_detail = detail != NULL && strcmp(detail, "0") == 0;
        fault->status = number_of(command, "status", 500);
    } else if (command_text(command, "code") != NULL) {
        fault->action = FAULT_ITEM;
        fault->response_code = copy_of(command, "code");
    } else {
        read_named_action(command, fault);
    }
    if (fault->action == FAULT_HTTP && (fault->status < 200 || fault->status > 599))
        command_fail(command, "http is a status from 200 to 599");
    if (fault->action == FAULT_DELAY_ONLY && fault->delay_ms == 0)
        command_fail(command, "the fault does nothing");
}

/* NULL: any, which may also be said, as it may to /spoil. */
static char *operation_of(struct command *command)
{
    char *operation = copy_of(command, "operation");
    if (operation == NULL || strcmp(operation, "any") != 0)
        return operation;
    memory_free(operation);
    return NULL;
}

void command_fault(struct command *command)
{
    struct fault *fault = memory_allocate(sizeof *fault);
    fault->operation = operation_of(command);
    fault->mailbox = copy_of(command, "mailbox");
    fault->count = number_of(command, "count", 1);
    fault->forever = fault->count == 0;
    fault->after = number_of(command, "after", 0);
    fault->every = number_of(command, "every", 1);
    fault->only_reused = command_flag(command, "reused");
    fault->delay_ms = number_of(command, "delay", 0);
    fault->message = copy_of(command, "message");
    fault->back_off_ms = number_of(command, "back_off", 0);
    fault->depth = number_of(command, "depth", 0);
    fault->index =
        command_text(command, "index") == NULL ? -1 : (int)number_of(command, "index", 0);
    read_action(command, fault);
    if (command_has_failed(command)) {
        fault_free(fault);
        return;
    }
    unsigned number = faults_add(command->simulator->faults, fault);
    json_object_set_new(command->answer, "fault", json_integer(number));
}

static void describe(const struct fault *fault, void *context)
{
    json_array_append_new(context, json_pack("{s:i, s:i, s:i, s:b}", "fault", (int)fault->number,
                                             "seen", (int)fault->seen, "hits", (int)fault->hits,
                                             "over", fault->is_over));
}

void command_faults(struct command *command)
{
    json_t *list = json_array();
    faults_visit(command->simulator->faults, describe, list);
    json_object_set_new(command->answer, "faults", list);
}

void command_clear_faults(struct command *command)
{
    faults_clear(command->simulator->faults, number_of(command, "fault", 0));
}
