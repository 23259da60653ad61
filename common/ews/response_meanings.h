/* The meanings that response codes share. Private to the table. */
#ifndef EXSYNC_EWS_RESPONSE_MEANINGS_H
#define EXSYNC_EWS_RESPONSE_MEANINGS_H

#include "ews/response_codes.h"

#define RESPONSE_MEANINGS(X)    \
    X(success)                  \
    X(unknown_code)             \
    X(impersonate_user_denied)  \
    X(impersonation_denied)     \
    X(impersonation_failed)     \
    X(impersonation_header)     \
    X(user_unknown)             \
    X(user_name_invalid)        \
    X(user_disabled)            \
    X(user_unlicensed)          \
    X(user_suspended)           \
    X(organization_blocked)     \
    X(password_expired)         \
    X(account_invalid)          \
    X(sign_in_transient)        \
    X(access_denied)            \
    X(busy)                     \
    X(too_long)                 \
    X(too_large_result)         \
    X(resources)                \
    X(store_unavailable)        \
    X(mailbox_moving)           \
    X(mailbox_elsewhere)        \
    X(mailbox_version)          \
    X(mailbox_full)             \
    X(server_error)             \
    X(server_transient)         \
    X(directory_unavailable)    \
    X(proxy_unavailable)        \
    X(server_set_up)            \
    X(server_version)           \
    X(operation_rejected)       \
    X(request_rejected)         \
    X(item_request_rejected)    \
    X(request_too_large)        \
    X(item_gone)                \
    X(item_deleted_by_scanner)  \
    X(item_id_invalid)          \
    X(item_damaged)             \
    X(item_without_mime)        \
    X(item_infected)            \
    X(item_too_large)           \
    X(item_changed)             \
    X(item_not_saved)           \
    X(item_not_processed)       \
    X(item_protected)           \
    X(item_property)            \
    X(item_of_calendar)         \
    X(item_of_other_kind)       \
    X(folder_missing)           \
    X(folder_exists)            \
    X(folder_damaged)           \
    X(folder_not_saved)         \
    X(folder_denied)            \
    X(folder_unsuitable)        \
    X(send_denied)              \
    X(send_recipients)          \
    X(send_too_many_recipients) \
    X(send_blocked)             \
    X(send_content)             \
    X(send_quota)               \
    X(search_unsupported)       \
    X(subscription)             \
    X(attachment)               \
    X(delegates)                \
    X(sharing)                  \
    X(free_busy)                \
    X(name_resolution)          \
    X(retention)                \
    X(archive)                  \
    X(public_folder)            \
    X(unified_messaging)        \
    X(group)                    \
    X(extension)                \
    X(contacts_service)         \
    X(rules)                    \
    X(discovery)                \
    X(location_service)         \
    X(other_service)

#define RESPONSE_DECLARE(name) extern const struct response_meaning meaning_##name;
RESPONSE_MEANINGS(RESPONSE_DECLARE)
#undef RESPONSE_DECLARE

/* The failure that a meaning is in its place. What would concern one item concerns the mailbox when
 * it is said of a whole request; one of several items may be the cause then. */
struct failure response_failure_of(const char *step, const struct response_meaning *meaning,
                                   enum response_place place);

/* By the code that the failure of an HTTP status has ("HTTP 503"); NULL for any other code. */
const struct response_meaning *response_status_meaning(const char *code);

extern const struct response_code response_codes[];
extern const size_t response_code_count;

#endif
