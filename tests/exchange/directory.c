/* What clients ask a server beside mail: ResolveNames, ConvertId, GetServerTimeZones. */
#define _GNU_SOURCE /* strcasestr */

#include "operations.h"
#include "simulator.h"
#include "xml_text.h"

#include <string.h>
#include <strings.h>

enum { MOST_RESOLUTIONS = 100 };

static void append_resolution(struct buffer *text, const char *address)
{
    buffer_append_string(text, "<t:Resolution><t:Mailbox>");
    xml_append_element(text, "Name", address);
    xml_append_element(text, "EmailAddress", address);
    buffer_append_string(text, "<t:RoutingType>SMTP</t:RoutingType>"
                               "<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>");
    buffer_append_string(text, "</t:Resolution>");
}

void operation_resolve_names(struct call *call)
{
    if (!call_begin(call))
        return;
    struct store *store = call->simulator->store;
    const char *entry = xml_child_text(call->request, "UnresolvedEntry");
    if (entry != NULL && strncasecmp(entry, "smtp:", 5) == 0)
        entry += 5;
    struct buffer found = {0};
    size_t count = 0;
    for (size_t i = 0; entry != NULL && i < store_mailbox_count(store) && count < MOST_RESOLUTIONS;
         i++) {
        const char *address = store_mailbox(store, i)->address;
        if (strcasestr(address, entry) != NULL) {
            append_resolution(&found, address);
            count++;
        }
    }
    if (count == 0) {
        call_error(call, "ErrorNameResolutionNoResults");
    } else {
        reply_open_message(call->reply, "ResolveNames");
        buffer_append_format(&call->reply->text,
                             "<m:ResolutionSet TotalItemsInView=\"%zu\" "
                             "IncludesLastItemInRange=\"%s\">%s</m:ResolutionSet>",
                             count, count < MOST_RESOLUTIONS ? "true" : "false", found.data);
        reply_close_message(call->reply, "ResolveNames");
        call_succeeded(call);
    }
    buffer_release(&found);
}

/* No other format of ids is simulated: clients use this to ask for the server's version. */
void operation_convert_id(struct call *call)
{
    const xmlNode *ids = xml_child(call->request, "SourceIds");
    for (xmlNode *source = ids == NULL ? NULL : xml_first(ids); source != NULL;
         source = xml_next(source)) {
        const char *id = xml_attribute(source, "Id");
        uint64_t number;
        if (!call_begin(call))
            continue;
        if (id == NULL || entry_read(id, &number) == ENTRY_MALFORMED)
            call_error(call, "ErrorInvalidIdMalformed");
        else
            call_error(call, "ErrorUnsupportedTypeForConversion");
    }
}

void operation_get_server_time_zones(struct call *call)
{
    if (!call_begin(call))
        return;
    reply_open_message(call->reply, "GetServerTimeZones");
    buffer_append_string(
        &call->reply->text,
        "<m:TimeZoneDefinitions><t:TimeZoneDefinition Id=\"UTC\" "
        "Name=\"(UTC) Coordinated Universal Time\"><t:Periods><t:Period Bias=\"PT0S\" "
        "Name=\"Standard\" Id=\"trule:Microsoft/Registry/UTC/1-Standard\"/></t:Periods>"
        "<t:TransitionsGroups><t:TransitionsGroup Id=\"0\"><t:Transition>"
        "<t:To Kind=\"Period\">trule:Microsoft/Registry/UTC/1-Standard</t:To></t:Transition>"
        "</t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition>"
        "<t:To Kind=\"Group\">0</t:To></t:Transition></t:Transitions></t:TimeZoneDefinition>"
        "</m:TimeZoneDefinitions>");
    reply_close_message(call->reply, "GetServerTimeZones");
    call_succeeded(call);
}
