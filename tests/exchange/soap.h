/* SOAP requests as EWS gets them, and small steps through their XML. */
#ifndef EXCHANGE_SOAP_H
#define EXCHANGE_SOAP_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

#define EWS_TYPES     "http://schemas.microsoft.com/exchange/services/2006/types"
#define EWS_MESSAGES  "http://schemas.microsoft.com/exchange/services/2006/messages"
#define EWS_ERRORS    "http://schemas.microsoft.com/exchange/services/2006/errors"
#define SOAP_ENVELOPE "http://schemas.xmlsoap.org/soap/envelope/"

struct soap_request {
    xmlDoc *document;         /* owned */
    xmlNode *operation;       /* first child of the body */
    const char *name;         /* its local name: FindItem ... */
    const char *version;      /* of RequestServerVersion; NULL when it says none */
    const char *connecting;   /* PrincipalName, SID, PrimarySmtpAddress or SmtpAddress; or NULL */
    const char *impersonated; /* the value of that element */
};

/* Reads an envelope; false when the bytes are none, then there is nothing to release. */
bool soap_request_read(struct soap_request *request, const char *bytes, size_t length);
void soap_request_release(struct soap_request *request);

/* Elements: the first child, the next sibling, the child of that local name; NULL: none. */
xmlNode *xml_first(const xmlNode *node);
xmlNode *xml_next(const xmlNode *node);
xmlNode *xml_child(const xmlNode *node, const char *name);
bool xml_is(const xmlNode *node, const char *name);

/* The value of an attribute; NULL when it is not there. Valid as long as the document. */
const char *xml_attribute(const xmlNode *node, const char *name);
/* The same as a boolean: "true" and "1". */
bool xml_attribute_is_true(const xmlNode *node, const char *name);

/* The text of an element without children, "" when it is empty. Valid as long as the document. */
const char *xml_text(const xmlNode *node);
/* The text of a child; NULL when there is no such child. */
const char *xml_child_text(const xmlNode *node, const char *name);
bool xml_text_is_true(const char *text);

#endif
