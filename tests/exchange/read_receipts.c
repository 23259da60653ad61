#include "read_receipts.h"

#include "counters.h"
#include "mailbox_store.h"
#include "timestamp.h"

/* A message disposition notification (RFC 8098) from the owner of the mailbox. */
static struct message *make_receipt(const struct item *item, bool was_read)
{
    const char *reader = item->folder->mailbox->address;
    const char *author = item->message->receipt_to.list[0].address;
    const char *original = item->message->internet_id;
    struct buffer mime = {0};
    buffer_append_format(
        &mime,
        "From: <%s>\r\nTo: <%s>\r\nSubject: %s: %s\r\n"
        "Message-ID: <receipt.%llu@simulator.example.com>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=disposition-notification; "
        "boundary=\"receipt\"\r\n\r\n"
        "--receipt\r\nContent-Type: text/plain\r\n\r\nYour message was %s.\r\n"
        "--receipt\r\nContent-Type: message/disposition-notification\r\n\r\n"
        "Final-Recipient: rfc822;%s\r\nOriginal-Message-ID: %s\r\n"
        "Disposition: automatic-action/MDN-sent-automatically; %s\r\n--receipt--\r\n",
        reader, author, was_read ? "Read" : "Not read", item_subject(item),
        (unsigned long long)item->change, was_read ? "read" : "deleted without being read", reader,
        original == NULL ? "" : original, was_read ? "displayed" : "deleted");
    struct message *receipt = message_create("read receipt", mime.data, mime.length);
    buffer_release(&mime);
    return receipt;
}

void read_receipt_settle(struct simulator *simulator, struct item *item, bool was_read,
                         bool suppress)
{
    if (item->is_read || !item->receipt_due)
        return;
    item->receipt_due = false;
    if (suppress)
        return;
    counters_add(simulator->counters, "read_receipts", "", 1);
    struct mailbox *author =
        store_find_mailbox(simulator->store, item->message->receipt_to.list[0].address);
    if (author == NULL)
        return;
    struct message *receipt = make_receipt(item, was_read);
    store_add_item(simulator->store, mailbox_distinguished(author, "inbox"), receipt,
                   timestamp_now());
    message_release(receipt);
}
