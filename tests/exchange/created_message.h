/* The message that a CreateItem request describes. */
#ifndef EXCHANGE_CREATED_MESSAGE_H
#define EXCHANGE_CREATED_MESSAGE_H

#include "message.h"

#include <libxml/tree.h>
#include <stdint.h>

/* What a t:Message element describes: its MimeContent with the recipients that its properties say,
 * or a MIME text built from its properties. `sender` is used where it says no From, `number` makes
 * a Message-ID. NULL when its MimeContent is no base64. One reference, the caller's. */
struct message *created_message(const xmlNode *element, const char *sender, uint64_t number);

#endif
