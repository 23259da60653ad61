#include "ews/ews_element.h"

#include <stddef.h>
#include <string.h>

enum namespace_kind {
    NAMESPACE_NONE = 1,
    NAMESPACE_SOAP = 2,
    NAMESPACE_EWS = 4,
    NAMESPACE_OTHER = 8,
};

/* Without the scheme: Microsoft's own documentation has them with http and with https. */
static const struct {
    const char *uri;
    enum namespace_kind kind;
} namespaces[] = {
    {"schemas.microsoft.com/exchange/services/2006/types", NAMESPACE_EWS},
    {"schemas.microsoft.com/exchange/services/2006/messages", NAMESPACE_EWS},
    {"schemas.microsoft.com/exchange/services/2006/errors", NAMESPACE_EWS},
    {"schemas.xmlsoap.org/soap/envelope/", NAMESPACE_SOAP},
};

struct child {
    const char *name; /* NULL: any name */
    enum ews_element element;
    unsigned kinds;
};

/* SOAP 1.1 says that the parts of a fault have no namespace; some servers give them SOAP's. */
enum { FAULT_PART = NAMESPACE_NONE | NAMESPACE_SOAP };

/* Each list ends with a zero. */
static const struct child of_document[] = {
    {"Envelope", EWS_ELEMENT_ENVELOPE, NAMESPACE_SOAP},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_envelope[] = {
    {"Body", EWS_ELEMENT_BODY, NAMESPACE_SOAP},
    {"Header", EWS_ELEMENT_HEADER, NAMESPACE_SOAP},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_header[] = {
    {"ServerVersionInfo", EWS_ELEMENT_SERVER_VERSION, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_body[] = {
    {"Fault", EWS_ELEMENT_FAULT, NAMESPACE_SOAP},
    {NULL, EWS_ELEMENT_OPERATION, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_fault[] = {
    {"faultcode", EWS_ELEMENT_FAULT_CODE, FAULT_PART},
    {"faultstring", EWS_ELEMENT_FAULT_STRING, FAULT_PART},
    {"detail", EWS_ELEMENT_FAULT_DETAIL, FAULT_PART},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_detail[] = {
    {"ResponseCode", EWS_ELEMENT_RESPONSE_CODE, NAMESPACE_EWS},
    {"Message", EWS_ELEMENT_FAULT_MESSAGE, NAMESPACE_EWS},
    {"MessageXml", EWS_ELEMENT_MESSAGE_XML, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_operation[] = {
    {"ResponseMessages", EWS_ELEMENT_RESPONSE_MESSAGES, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_response_messages[] = {
    {NULL, EWS_ELEMENT_RESPONSE_MESSAGE, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_response_message[] = {
    {"ResponseCode", EWS_ELEMENT_RESPONSE_CODE, NAMESPACE_EWS},
    {"Items", EWS_ELEMENT_ITEMS, NAMESPACE_EWS},
    {"RootFolder", EWS_ELEMENT_ROOT_FOLDER, NAMESPACE_EWS},
    {"Folders", EWS_ELEMENT_FOLDERS, NAMESPACE_EWS},
    {"MessageText", EWS_ELEMENT_MESSAGE_TEXT, NAMESPACE_EWS},
    {"MessageXml", EWS_ELEMENT_MESSAGE_XML, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_message_xml[] = {
    {"Value", EWS_ELEMENT_MESSAGE_VALUE, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_root_folder[] = {
    {"Items", EWS_ELEMENT_ITEMS, NAMESPACE_EWS},
    {"Folders", EWS_ELEMENT_FOLDERS, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_items[] = {
    {NULL, EWS_ELEMENT_ITEM, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_item[] = {
    {"ItemId", EWS_ELEMENT_ITEM_ID, NAMESPACE_EWS},
    {"DateTimeReceived", EWS_ELEMENT_RECEIVED, NAMESPACE_EWS},
    {"Size", EWS_ELEMENT_SIZE, NAMESPACE_EWS},
    {"ExtendedProperty", EWS_ELEMENT_EXTENDED_PROPERTY, NAMESPACE_EWS},
    {"InternetMessageId", EWS_ELEMENT_INTERNET_MESSAGE_ID, NAMESPACE_EWS},
    {"IsRead", EWS_ELEMENT_IS_READ, NAMESPACE_EWS},
    {"IsDraft", EWS_ELEMENT_IS_DRAFT, NAMESPACE_EWS},
    {"IsSubmitted", EWS_ELEMENT_IS_SUBMITTED, NAMESPACE_EWS},
    {"MimeContent", EWS_ELEMENT_MIME_CONTENT, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_extended_property[] = {
    {"ExtendedFieldURI", EWS_ELEMENT_EXTENDED_FIELD, NAMESPACE_EWS},
    {"Value", EWS_ELEMENT_EXTENDED_VALUE, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_folders[] = {
    {NULL, EWS_ELEMENT_FOLDER, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};
static const struct child of_folder[] = {
    {"FolderId", EWS_ELEMENT_FOLDER_ID, NAMESPACE_EWS},
    {"DisplayName", EWS_ELEMENT_DISPLAY_NAME, NAMESPACE_EWS},
    {.element = EWS_ELEMENT_NONE},
};

static const struct child *const children[EWS_ELEMENT_COUNT] = {
    [EWS_ELEMENT_NONE] = of_document,
    [EWS_ELEMENT_ENVELOPE] = of_envelope,
    [EWS_ELEMENT_HEADER] = of_header,
    [EWS_ELEMENT_BODY] = of_body,
    [EWS_ELEMENT_FAULT] = of_fault,
    [EWS_ELEMENT_FAULT_DETAIL] = of_detail,
    [EWS_ELEMENT_OPERATION] = of_operation,
    [EWS_ELEMENT_RESPONSE_MESSAGES] = of_response_messages,
    [EWS_ELEMENT_RESPONSE_MESSAGE] = of_response_message,
    [EWS_ELEMENT_MESSAGE_XML] = of_message_xml,
    [EWS_ELEMENT_ROOT_FOLDER] = of_root_folder,
    [EWS_ELEMENT_ITEMS] = of_items,
    [EWS_ELEMENT_ITEM] = of_item,
    [EWS_ELEMENT_EXTENDED_PROPERTY] = of_extended_property,
    [EWS_ELEMENT_FOLDERS] = of_folders,
    [EWS_ELEMENT_FOLDER] = of_folder,
};

static const bool has_text[EWS_ELEMENT_COUNT] = {
    [EWS_ELEMENT_FAULT_CODE] = true,     [EWS_ELEMENT_FAULT_STRING] = true,
    [EWS_ELEMENT_FAULT_MESSAGE] = true,  [EWS_ELEMENT_MESSAGE_TEXT] = true,
    [EWS_ELEMENT_RESPONSE_CODE] = true,  [EWS_ELEMENT_MESSAGE_VALUE] = true,
    [EWS_ELEMENT_RECEIVED] = true,       [EWS_ELEMENT_SIZE] = true,
    [EWS_ELEMENT_IS_READ] = true,        [EWS_ELEMENT_INTERNET_MESSAGE_ID] = true,
    [EWS_ELEMENT_IS_DRAFT] = true,       [EWS_ELEMENT_IS_SUBMITTED] = true,
    [EWS_ELEMENT_EXTENDED_VALUE] = true, [EWS_ELEMENT_DISPLAY_NAME] = true,
};

static unsigned kind_of(const char *uri)
{
    if (uri == NULL || uri[0] == '\0')
        return NAMESPACE_NONE;
    const char *scheme_end = strstr(uri, "://");
    const char *place = scheme_end == NULL ? uri : scheme_end + 3;
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
        if (strcmp(place, namespaces[i].uri) == 0)
            return namespaces[i].kind;
    }
    return NAMESPACE_OTHER;
}

enum ews_element ews_element_find(enum ews_element parent, const char *name, const char *uri)
{
    const struct child *child = children[parent];
    if (child == NULL)
        return EWS_ELEMENT_OTHER;
    for (; child->element != EWS_ELEMENT_NONE; child++) {
        if (child->name != NULL && strcmp(child->name, name) != 0)
            continue;
        if ((child->kinds & kind_of(uri)) != 0)
            return child->element;
    }
    return EWS_ELEMENT_OTHER;
}

bool ews_element_has_text(enum ews_element element)
{
    return has_text[element];
}
