/* The elements of an answer that this program reads, each by its place.
 *
 * An element is known by the element it stands in, its local name and the kind of its namespace;
 * the prefix does not matter. What is not in the table is EWS_ELEMENT_OTHER, and so is everything
 * in it: it is skipped. Elements that only hold others of any name (a response message, an item, a
 * folder) are known by their place alone, so that kinds of items that came later than this program
 * are read, too. Sources: MS-OXWSCDATA, MS-OXWSCORE, MS-OXWSFOLD, SOAP 1.1. */
#ifndef EXSYNC_EWS_EWS_ELEMENT_H
#define EXSYNC_EWS_EWS_ELEMENT_H

#include <stdbool.h>

enum ews_element {
    EWS_ELEMENT_NONE, /* the document itself */
    EWS_ELEMENT_OTHER,
    EWS_ELEMENT_ENVELOPE,
    EWS_ELEMENT_HEADER,
    EWS_ELEMENT_SERVER_VERSION,
    EWS_ELEMENT_BODY,
    EWS_ELEMENT_FAULT,
    EWS_ELEMENT_FAULT_CODE,
    EWS_ELEMENT_FAULT_STRING,
    EWS_ELEMENT_FAULT_DETAIL,
    EWS_ELEMENT_FAULT_MESSAGE,
    EWS_ELEMENT_OPERATION,         /* GetItemResponse and the like */
    EWS_ELEMENT_RESPONSE_MESSAGES, /* its list of response messages */
    EWS_ELEMENT_RESPONSE_MESSAGE,  /* the answer to one thing that was asked for */
    EWS_ELEMENT_MESSAGE_TEXT,
    EWS_ELEMENT_RESPONSE_CODE, /* also in a fault's detail */
    EWS_ELEMENT_MESSAGE_XML,   /* likewise */
    EWS_ELEMENT_MESSAGE_VALUE,
    EWS_ELEMENT_ROOT_FOLDER,
    EWS_ELEMENT_ITEMS,
    EWS_ELEMENT_ITEM,
    EWS_ELEMENT_MIME_CONTENT,
    EWS_ELEMENT_ITEM_ID,
    EWS_ELEMENT_RECEIVED,
    EWS_ELEMENT_SIZE,
    EWS_ELEMENT_INTERNET_MESSAGE_ID,
    EWS_ELEMENT_IS_READ,
    EWS_ELEMENT_IS_DRAFT,
    EWS_ELEMENT_IS_SUBMITTED,
    EWS_ELEMENT_EXTENDED_PROPERTY,
    EWS_ELEMENT_EXTENDED_FIELD,
    EWS_ELEMENT_EXTENDED_VALUE,
    EWS_ELEMENT_FOLDERS,
    EWS_ELEMENT_FOLDER,
    EWS_ELEMENT_FOLDER_ID,
    EWS_ELEMENT_DISPLAY_NAME,
    EWS_ELEMENT_COUNT,
};

/* Which element `name` in the namespace `uri` (NULL for none) is within `parent`. */
enum ews_element ews_element_find(enum ews_element parent, const char *name, const char *uri);

/* Whether its text is wanted. */
bool ews_element_has_text(enum ews_element element);

#endif
