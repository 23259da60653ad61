#include "transport.h"

#include "base/memory.h"
#include "counters.h"
#include "mailbox_store.h"
#include "simulator.h"
#include "timestamp.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A submitted item where its sender has left it, or a copy that is held back. One that somebody
 * has moved or deleted meanwhile is no longer found by its number, and nothing comes of it. */
struct waiting {
    struct waiting *next;
    uint64_t number; /* of the item */
    struct mailbox *mailbox;
    uint32_t copy_to; /* number of the folder; 0: no copy is wanted */
};

struct transport {
    struct simulator *simulator;
    struct waiting *submitted;
    struct waiting *copies;
    bool is_stopped;
    enum transport_copies copy_handling;
};

struct transport *transport_create(struct simulator *simulator)
{
    struct transport *transport = memory_allocate(sizeof *transport);
    transport->simulator = simulator;
    return transport;
}

static void free_list(struct waiting *list)
{
    while (list != NULL) {
        struct waiting *next = list->next;
        memory_free(list);
        list = next;
    }
}

void transport_free(struct transport *transport)
{
    free_list(transport->submitted);
    free_list(transport->copies);
    memory_free(transport);
}

static size_t recipient_count(const struct message *message)
{
    return message->to.count + message->cc.count + message->bcc.count;
}

const char *transport_refuses(const struct transport *transport, const struct item *item)
{
    const struct message *message = item->message;
    if (recipient_count(message) == 0)
        return "ErrorInvalidRecipients";
    const char *from = message->from.count > 0 ? message->from.list[0].address : NULL;
    if (transport->simulator->enforces_send_as && from != NULL &&
        strcasecmp(from, item->folder->mailbox->address) != 0)
        return "ErrorSendAsDenied";
    return NULL;
}

static void append(struct waiting **list, const struct item *item, const struct folder *copy_to)
{
    while (*list != NULL)
        list = &(*list)->next;
    *list = memory_allocate(sizeof **list);
    (*list)->number = item->number;
    (*list)->mailbox = item->folder->mailbox;
    (*list)->copy_to = copy_to == NULL ? 0 : copy_to->number;
}

/* The folder of that number, or Sent Items when somebody has deleted it. */
static struct folder *folder_of_number(const struct mailbox *mailbox, uint32_t number)
{
    for (size_t i = 0; i < mailbox->folder_count; i++)
        if (mailbox->folders[i]->number == number)
            return mailbox->folders[i];
    return mailbox_distinguished(mailbox, "sentitems");
}

/* Takes the first off the list: its item, NULL when that is gone. */
static struct item *next_waiting(struct transport *transport, struct waiting **list,
                                 struct folder **copy_to)
{
    struct waiting *first = *list;
    struct item *item = store_item_of_number(transport->simulator->store, first->number);
    *copy_to = first->copy_to == 0 ? NULL : folder_of_number(first->mailbox, first->copy_to);
    *list = first->next;
    memory_free(first);
    return item;
}

/* -- Delivery -------------------------------------------------------------- */

/* The message as recipients get it; a reference of the caller's. */
static struct message *delivered_form(const struct transport *transport, struct message *message)
{
    bool renews = transport->simulator->renews_message_ids;
    if (message->bcc.count == 0 && !renews)
        return message_reference(message);
    struct buffer mime = {0};
    struct buffer form = {0};
    message_append_mime(message, &mime);
    mime_append_without(&form, buffer_string(&mime), mime.length, "Bcc");
    if (renews) {
        uint64_t number = store_next_number(transport->simulator->store);
        buffer_clear(&mime);
        buffer_append_format(&mime, "Message-ID: <renewed.%llu@simulator.example.com>\r\n",
                             (unsigned long long)number);
        mime_append_without(&mime, buffer_string(&form), form.length, "Message-ID");
        buffer_clear(&form);
        buffer_append(&form, mime.data, mime.length);
    }
    struct message *delivered = message_create(message->source, buffer_string(&form), form.length);
    buffer_release(&form);
    buffer_release(&mime);
    return delivered;
}

static void deliver_to(struct transport *transport, const char *address, const struct item *sent,
                       struct message *message)
{
    struct simulator *simulator = transport->simulator;
    struct mailbox *mailbox = store_find_mailbox(simulator->store, address);
    counters_add(simulator->counters, mailbox == NULL ? "messages_relayed" : "messages_delivered",
                 "", 1);
    if (mailbox == NULL)
        return;
    struct item *item = store_add_item(simulator->store, mailbox_distinguished(mailbox, "inbox"),
                                       message, timestamp_now());
    if (simulator->keeps_properties && sent->details != NULL)
        item_details(item)->properties = property_copy_list(sent->details->properties);
}

static bool is_among(const char *address, const struct mime_addresses *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(address, addresses->list[i].address) == 0)
            return true;
    return false;
}

/* Each recipient gets it once, however often it is named. */
static void deliver(struct transport *transport, const struct item *sent, struct message *message)
{
    const struct message *submitted = sent->message;
    const struct mime_addresses *lists[] = {&submitted->to, &submitted->cc, &submitted->bcc};
    for (size_t kind = 0; kind < sizeof lists / sizeof *lists; kind++)
        for (size_t i = 0; i < lists[kind]->count; i++) {
            const char *address = lists[kind]->list[i].address;
            bool is_repeated = is_among(address, lists[kind], i);
            for (size_t earlier = 0; earlier < kind; earlier++)
                is_repeated =
                    is_repeated || is_among(address, lists[earlier], lists[earlier]->count);
            if (!is_repeated)
                deliver_to(transport, address, sent, message);
        }
}

/* A place that no client sees, for copies that are held back. */
static struct folder *holding_folder(struct transport *transport, const struct folder *near)
{
    static const char name[] = "Transport";
    struct folder *root = mailbox_distinguished(near->mailbox, "root");
    struct folder *folder = folder_child(root, name);
    return folder != NULL ? folder : store_create_folder(transport->simulator->store, root, name);
}

/* Sends the message out. The copy is the item itself, moved: its properties stay. */
static void take(struct transport *transport, struct item *item, struct folder *copy_to)
{
    struct store *store = transport->simulator->store;
    struct message *message = delivered_form(transport, item->message);
    deliver(transport, item, message);
    message_release(message);
    if (copy_to == NULL || transport->copy_handling == COPIES_DELETED) {
        store_delete_item(store, item);
        return;
    }
    item->is_draft = item->is_submitted = false;
    item_set_read(item, true);
    item_set_received(item, timestamp_now());
    if (transport->copy_handling == COPIES_IMMEDIATE) {
        store_move_item(store, item, copy_to);
        return;
    }
    store_move_item(store, item, holding_folder(transport, copy_to));
    append(&transport->copies, item, copy_to);
}

void transport_submit(struct transport *transport, struct item *item, struct folder *copy_to)
{
    counters_add(transport->simulator->counters, "messages_submitted", "", 1);
    item->receipt_due = false;
    if (!transport->is_stopped) {
        take(transport, item, copy_to);
        return;
    }
    item->is_submitted = true;
    store_change_item(transport->simulator->store, item);
    append(&transport->submitted, item, copy_to);
}

void transport_set_running(struct transport *transport, bool running)
{
    transport->is_stopped = !running;
    while (running && transport->submitted != NULL) {
        struct folder *copy_to;
        struct item *item = next_waiting(transport, &transport->submitted, &copy_to);
        if (item != NULL)
            take(transport, item, copy_to);
    }
}

void transport_set_copies(struct transport *transport, enum transport_copies copies)
{
    struct store *store = transport->simulator->store;
    transport->copy_handling = copies;
    while (copies != COPIES_HELD && transport->copies != NULL) {
        struct folder *copy_to;
        struct item *item = next_waiting(transport, &transport->copies, &copy_to);
        if (item != NULL && copies == COPIES_DELETED)
            store_delete_item(store, item);
        else if (item != NULL)
            store_move_item(store, item, copy_to);
    }
}
