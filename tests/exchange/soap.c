#include "soap.h"

#include <libxml/parser.h>
#include <limits.h>
#include <string.h>

enum {
    READ_OPTIONS = XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOENT | XML_PARSE_HUGE |
                   XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES
};

static void read_header(struct soap_request *request, const xmlNode *header)
{
    const xmlNode *version = header == NULL ? NULL : xml_child(header, "RequestServerVersion");
    const xmlNode *impersonation =
        header == NULL ? NULL : xml_child(header, "ExchangeImpersonation");
    if (version != NULL)
        request->version = xml_attribute(version, "Version");
    const xmlNode *sid = impersonation == NULL ? NULL : xml_child(impersonation, "ConnectingSID");
    const xmlNode *value = sid == NULL ? NULL : xml_first(sid);
    if (value == NULL)
        return;
    request->connecting = (const char *)value->name;
    request->impersonated = xml_text(value);
}

bool soap_request_read(struct soap_request *request, const char *bytes, size_t length)
{
    *request = (struct soap_request){0};
    if (length == 0 || length > INT_MAX)
        return false;
    request->document = xmlReadMemory(bytes, (int)length, NULL, NULL, READ_OPTIONS);
    if (request->document == NULL)
        return false;
    xmlNode *envelope = xmlDocGetRootElement(request->document);
    xmlNode *body = envelope == NULL ? NULL : xml_child(envelope, "Body");
    request->operation = body == NULL ? NULL : xml_first(body);
    if (request->document->intSubset != NULL || !xml_is(envelope, "Envelope") ||
        request->operation == NULL) {
        soap_request_release(request);
        return false;
    }
    request->name = (const char *)request->operation->name;
    read_header(request, xml_child(envelope, "Header"));
    return true;
}

void soap_request_release(struct soap_request *request)
{
    if (request->document != NULL)
        xmlFreeDoc(request->document);
    *request = (struct soap_request){0};
}

static xmlNode *element_from(xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xmlNode *xml_first(const xmlNode *node)
{
    return element_from(node->children);
}

xmlNode *xml_next(const xmlNode *node)
{
    return element_from(node->next);
}

bool xml_is(const xmlNode *node, const char *name)
{
    return node != NULL && strcmp((const char *)node->name, name) == 0;
}

xmlNode *xml_child(const xmlNode *node, const char *name)
{
    xmlNode *child = xml_first(node);
    while (child != NULL && !xml_is(child, name))
        child = xml_next(child);
    return child;
}

const char *xml_attribute(const xmlNode *node, const char *name)
{
    for (const xmlAttr *attribute = node->properties; attribute != NULL;
         attribute = attribute->next)
        if (strcmp((const char *)attribute->name, name) == 0)
            return attribute->children == NULL || attribute->children->content == NULL
                       ? ""
                       : (const char *)attribute->children->content;
    return NULL;
}

bool xml_text_is_true(const char *text)
{
    return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

bool xml_attribute_is_true(const xmlNode *node, const char *name)
{
    return xml_text_is_true(xml_attribute(node, name));
}

const char *xml_text(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child != NULL; child = child->next)
        if (child->type == XML_TEXT_NODE && child->content != NULL)
            return (const char *)child->content;
    return "";
}

const char *xml_child_text(const xmlNode *node, const char *name)
{
    const xmlNode *child = xml_child(node, name);
    return child == NULL ? NULL : xml_text(child);
}
