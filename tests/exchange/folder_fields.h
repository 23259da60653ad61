/* The properties of a folder in an answer. */
#ifndef EXCHANGE_FOLDER_FIELDS_H
#define EXCHANGE_FOLDER_FIELDS_H

#include "base/buffer.h"
#include "mailbox_store.h"

#include <libxml/tree.h>
#include <stdbool.h>

/* Which properties are asked for. */
struct folder_shape {
    unsigned fields; /* private to folder_fields.c */
};

void folder_shape_read(struct folder_shape *shape, const xmlNode *element);

/* Appends <t:Folder>...</t:Folder>. */
void folder_append(const struct folder *folder, struct folder_shape shape, struct buffer *text);

#endif
