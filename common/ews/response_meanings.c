#include "ews/response_meanings.h"

/* Every remedy that asks for an action ends with how it goes on afterwards. */
#define GOES_ON " exsyncd tests again by itself."
#define GRANT_GOES_ON                                                                           \
    " Exchange may take a while, and differ between servers, before a new role works; exsyncd " \
    "tests again by itself."
#define RESUMES "Nothing needs to be done: exsyncd tries again by itself."
#define REPORT                                                                      \
    "Report this with the response code and the version of Exchange as a fault of " \
    "exsyncd." GOES_ON

#define MEANING(name, category_, scope_, ...)        \
    const struct response_meaning meaning_##name = { \
        .category = FAILURE_##category_, .scope = FAILURE_SCOPE_##scope_, __VA_ARGS__}

MEANING(success, NONE, NONE, .sentence = "", .remedy = "");
MEANING(unknown_code, SERVER, ITEM, .divisible = true,
        .sentence = "The server refused with a code that this version of exsyncd does not know.",
        .remedy = "See the server's words and its event log." GOES_ON);

/* --- impersonation --- */

MEANING(impersonate_user_denied, IMPERSONATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The account of the profile may not impersonate the user of this mailbox.",
        .remedy = "Grant the account the role ApplicationImpersonation for this mailbox, or extend "
                  "the scope of its grant." GRANT_GOES_ON);
MEANING(impersonation_denied, IMPERSONATION, PROFILE, .nothing_done = true, .permanent = true,
        .sentence = "The account of the profile may not impersonate anybody through this server.",
        .remedy = "Grant the account the role ApplicationImpersonation." GRANT_GOES_ON);
MEANING(impersonation_failed, IMPERSONATION, MAILBOX, .nothing_done = true,
        .sentence = "The server could not set the impersonation up.",
        .remedy = "If it lasts, check the account of the mailbox's user and the server's event "
                  "log." GOES_ON);
MEANING(impersonation_header, CONFIGURATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The server does not accept the way in which the mailbox is named.",
        .remedy = "Check connecting_sid of the profile and the address or identity of the "
                  "mailbox." GOES_ON);

/* --- whom the mailbox belongs to --- */

MEANING(user_unknown, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The mailbox or its user does not exist.",
        .remedy = "Check the address in the configuration, and whether the mailbox was removed, "
                  "renamed or moved to another organization." GOES_ON);
MEANING(user_name_invalid, CONFIGURATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The address or identity of the mailbox is not valid for the server.",
        .remedy = "Name the mailbox by its primary address, or set connecting_sid of the profile "
                  "to what its identity is." GOES_ON);
MEANING(user_disabled, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The user account of the mailbox is disabled.",
        .remedy = "Enable the account, or take the mailbox out of the configuration." GOES_ON);
MEANING(user_unlicensed, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The user of the mailbox has no licence for it.",
        .remedy = "Give the user a licence, or take the mailbox out of the configuration." GOES_ON);
MEANING(user_suspended, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The mailbox is suspended by the operator of the server.",
        .remedy = "Sign in to the mailbox and follow what it says." GOES_ON);
MEANING(organization_blocked, AUTHORIZATION, PROFILE, .nothing_done = true, .permanent = true,
        .sentence = "The server does not serve this organization any more.",
        .remedy = "Ask the operator of the server." GOES_ON);

/* --- the account of the profile --- */

MEANING(password_expired, AUTHENTICATION, PROFILE, .nothing_done = true, .permanent = true,
        .sentence = "The password of the profile's account has expired or must be changed.",
        .remedy = "Set a new password and write it into the profile's password file or "
                  "credential." GOES_ON);
MEANING(account_invalid, AUTHENTICATION, PROFILE, .nothing_done = true, .permanent = true,
        .sentence = "The server does not accept the profile's account as one that can use it.",
        .remedy = "Check that the account is an enabled user of the Active Directory forest that "
                  "the server is in." GOES_ON);
MEANING(sign_in_transient, AUTHENTICATION, MAILBOX, .nothing_done = true,
        .sentence = "The server could not carry the sign-in on to another server.",
        .remedy = "If it lasts, see the server's event log." GOES_ON);
MEANING(access_denied, AUTHORIZATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "Access to the mailbox is denied.",
        .remedy = "Check the account's role ApplicationImpersonation, its rights on the mailbox, "
                  "and whether Exchange Web Services are enabled for the mailbox "
                  "(Set-CASMailbox -EwsEnabled)." GRANT_GOES_ON);

/* --- busy and away --- */

MEANING(busy, THROTTLING, MAILBOX, .nothing_done = true, .sentence = "The server is busy.",
        .remedy = RESUMES);
MEANING(too_long, SERVER, MAILBOX, .divisible = true,
        .sentence = "The server gave the request up because it took too long.", .remedy = RESUMES);
MEANING(too_large_result, SERVER, MAILBOX, .divisible = true,
        .sentence = "The answer would have been larger than the server allows.",
        .remedy = "Lower page_size of the profile if it stays." GOES_ON);
MEANING(resources, THROTTLING, MAILBOX, .divisible = true,
        .sentence = "The server has no resources left for the request.", .remedy = RESUMES);
MEANING(store_unavailable, MAILBOX, MAILBOX,
        .sentence = "The mailbox's database is not available at the moment.", .remedy = RESUMES);
MEANING(mailbox_moving, MAILBOX, MAILBOX, .sentence = "The mailbox is being moved.",
        .remedy = RESUMES);
MEANING(mailbox_elsewhere, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The mailbox is on a server that this one does not pass requests on to.",
        .remedy = "Put the mailbox on a profile whose url is that of its own site." GOES_ON);
MEANING(mailbox_version, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The mailbox is on a server of a version that cannot answer this request.",
        .remedy = "Put the mailbox on a profile whose url is that of its own server; Exchange 2013 "
                  "SP1 is the oldest that exsyncd speaks to." GOES_ON);
MEANING(mailbox_full, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The mailbox has exceeded its size limit.",
        .remedy = "Remove mail from the mailbox, its deleted items too, or raise its "
                  "quota." GOES_ON);

/* --- the server --- */

MEANING(server_error, SERVER, MAILBOX, .divisible = true,
        .sentence = "An error occurred inside the server.",
        .remedy = "If it lasts, see the server's event log." GOES_ON);
MEANING(server_transient, SERVER, MAILBOX, .divisible = true,
        .sentence = "A passing error occurred inside the server.", .remedy = RESUMES);
MEANING(directory_unavailable, SERVER, MAILBOX,
        .sentence = "The server cannot reach the Active Directory.", .remedy = RESUMES);
MEANING(proxy_unavailable, SERVER, MAILBOX,
        .sentence = "The server could not pass the request on to the server of the mailbox.",
        .remedy = "If it lasts, check the servers in the mailbox's site and the server's event "
                  "log." GOES_ON);
MEANING(server_set_up, SERVER, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The server is not set up for what was asked of it.",
        .remedy = "See the server's words and its event log." GOES_ON);
MEANING(server_version, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
        .sentence = "The server does not know the version of Exchange Web Services that was asked "
                    "for.",
        .remedy = "exsyncd needs Exchange 2013 SP1 or later: check the url of the "
                  "profile." GOES_ON);

/* --- the request --- */

MEANING(request_rejected, PROTOCOL, ITEM, .nothing_done = true, .permanent = true,
        .divisible = true, .sentence = "The server does not accept the request.", .remedy = REPORT);
MEANING(operation_rejected, PROTOCOL, ITEM, .nothing_done = true, .permanent = true,
        .divisible = true, .unsupported = true,
        .sentence = "The server does not know or not allow what was asked of it.",
        .remedy = REPORT);
MEANING(item_request_rejected, PROTOCOL, ITEM, .nothing_done = true, .permanent = true,
        .divisible = true,
        .sentence = "The server does not accept what was asked for this message.",
        .remedy = REPORT);
MEANING(request_too_large, ITEM, ITEM, .nothing_done = true, .permanent = true, .divisible = true,
        .sentence = "The request is larger than the server allows.",
        .remedy = "Raise the size limits of Exchange Web Services on the server, or make the "
                  "message smaller; submit it again if it was to be sent.");

/* --- items --- */

MEANING(item_gone, ITEM, ITEM, .nothing_done = true, .permanent = true, .gone = true,
        .sentence = "The message is not in the mailbox any more.", .remedy = "");
MEANING(item_deleted_by_scanner, ITEM, ITEM, .nothing_done = true, .permanent = true, .gone = true,
        .sentence = "The message was deleted by the server's virus scanner.", .remedy = "");
MEANING(
    item_id_invalid, ITEM, ITEM, .nothing_done = true, .permanent = true, .divisible = true,
    .sentence = "The server does not know the message or folder by the name that it gave to it.",
    .remedy = "Nothing needs to be done: it is found again under its new name.");
MEANING(item_damaged, ITEM, ITEM, .nothing_done = true, .permanent = true, .divisible = true,
        .sentence = "The message is damaged in the mailbox.",
        .remedy = "Open the message in the mailbox, and repair the mailbox if it cannot be opened "
                  "(New-MailboxRepairRequest)." GOES_ON);
MEANING(item_without_mime, ITEM, ITEM, .nothing_done = true, .permanent = true, .divisible = true,
        .sentence = "The server cannot give this message as an Internet message.",
        .remedy = "Read the message in the mailbox; nothing else is held up by it.");
MEANING(item_infected, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The server's virus scanner found something in the message.",
        .remedy = "See the log of the server's virus scanner.");
MEANING(item_too_large, ITEM, ITEM, .nothing_done = true, .permanent = true, .divisible = true,
        .sentence = "The message is larger than the server allows.",
        .remedy =
            "Raise the message size limits on the server, or make the message smaller; submit "
            "it again if it was to be sent.");
MEANING(item_changed, ITEM, ITEM,
        .sentence = "The message was changed by somebody else at the same time.",
        .remedy = RESUMES);
MEANING(item_not_saved, ITEM, ITEM,
        .sentence = "The server could not carry the change of the message out.", .remedy = RESUMES);
MEANING(item_not_processed, ITEM, ITEM, .nothing_done = true,
        .sentence = "The server stopped before it came to this message.", .remedy = RESUMES);
MEANING(item_protected, AUTHORIZATION, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The server does not allow this change of the message.",
        .remedy = "See whether the message is on hold or in a folder that is protected." GOES_ON);
MEANING(item_property, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The message is of a kind that does not have what was asked for.",
        .remedy = "Nothing needs to be done; the message stays as it is on the server.");
MEANING(item_of_calendar, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The server refuses because of the rules for calendar items and meetings.",
        .remedy = "Nothing needs to be done; the item stays as it is on the server.");
MEANING(item_of_other_kind, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The item is of a kind for which this cannot be done.",
        .remedy = "Nothing needs to be done; the item stays as it is on the server.");

/* --- folders --- */

MEANING(folder_missing, CONFIGURATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The folder does not exist in the mailbox.",
        .remedy = "Create the folder, or correct the folder's name in the configuration." GOES_ON);
MEANING(folder_exists, MAILBOX, MAILBOX, .nothing_done = true,
        .sentence = "A folder of this name exists already.", .remedy = RESUMES);
MEANING(folder_damaged, MAILBOX, MAILBOX, .permanent = true,
        .sentence = "The folder is damaged in the mailbox.",
        .remedy = "Repair the mailbox (New-MailboxRepairRequest)." GOES_ON);
MEANING(folder_not_saved, MAILBOX, MAILBOX,
        .sentence = "The server could not carry the change of the folder out.", .remedy = RESUMES);
MEANING(folder_denied, AUTHORIZATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The account may not create folders or items there.",
        .remedy = "Check the account's role ApplicationImpersonation and its rights on the "
                  "folder." GRANT_GOES_ON);
MEANING(folder_unsuitable, CONFIGURATION, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The folder is of a kind that cannot be used for this.",
        .remedy = "Name another folder in the configuration; search folders and folders for other "
                  "things than mail cannot be used." GOES_ON);

/* --- sending --- */

MEANING(send_denied, AUTHORIZATION, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The mailbox may not send in the name of the message's sender.",
        .remedy = "Send with the mailbox's own address, or grant the mailbox's user the right Send "
                  "As, which may take a while to work; then submit the message again.");
MEANING(send_recipients, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The message has no recipient, or one that the server does not accept.",
        .remedy = "Correct the recipients and submit the message again.");
MEANING(send_too_many_recipients, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The message has more recipients than the server allows.",
        .remedy =
            "Send it to fewer recipients at a time, or raise the recipient limit of the mailbox "
            "(Set-Mailbox -RecipientLimits) or of the organization, and submit it again.");
MEANING(send_blocked, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
        .sentence = "The server does not let this mailbox send.",
        .remedy = "Ask the operator of the server why sending is blocked." GOES_ON);
MEANING(send_content, ITEM, ITEM, .nothing_done = true, .permanent = true,
        .sentence = "The server does not accept the content of the message.",
        .remedy = "Correct the message and submit it again.");
MEANING(send_quota, THROTTLING, MAILBOX, .nothing_done = true,
        .sentence = "The mailbox has sent as much as the server allows for now.",
        .remedy = RESUMES
        " The limits are MessageRateLimit and RecipientRateLimit of the throttling "
        "policy that the mailbox has.");

/* --- what exsyncd does not ask for: no such code is expected --- */

#define NOT_ASKED_FOR(name, sentence_)                                                         \
    MEANING(name, PROTOCOL, ITEM, .permanent = true, .divisible = true, .sentence = sentence_, \
            .remedy = REPORT)

NOT_ASKED_FOR(search_unsupported, "The server does not support the search or the sort order.");
NOT_ASKED_FOR(subscription, "The server refuses because of a subscription to events.");
NOT_ASKED_FOR(attachment, "The server refuses because of an attachment.");
NOT_ASKED_FOR(delegates, "The server refuses because of the mailbox's delegates.");
NOT_ASKED_FOR(sharing, "The server refuses because of sharing with other organizations.");
NOT_ASKED_FOR(free_busy, "The server refuses because of availability or out-of-office data.");
NOT_ASKED_FOR(name_resolution, "The server could not resolve a name in its address book.");
NOT_ASKED_FOR(retention, "The server refuses because of managed folders or retention.");
NOT_ASKED_FOR(archive, "The server refuses because of the archive mailbox.");
NOT_ASKED_FOR(public_folder, "The server refuses because of public folders.");
NOT_ASKED_FOR(unified_messaging, "The server refuses because of unified messaging.");
NOT_ASKED_FOR(group, "The server refuses because of a group or team mailbox.");
NOT_ASKED_FOR(extension, "The server refuses because of an extension.");
NOT_ASKED_FOR(contacts_service, "The server refuses because of contacts or photos.");
NOT_ASKED_FOR(rules, "The server refuses because of the mailbox's rules.");
NOT_ASKED_FOR(discovery, "The server refuses because of an eDiscovery search.");
NOT_ASKED_FOR(location_service, "The server refuses because of a location service.");
NOT_ASKED_FOR(other_service, "The server refuses because of a service that exsyncd does not use.");
