#include "response_codes.h"

#include <stddef.h>
#include <string.h>

static const char *const texts[][2] = {
    {"ErrorAccessDenied", "Access is denied. Check credentials and try again."},
    {"ErrorChangeKeyRequired", "The change key is required for this operation."},
    {"ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."},
    {"ErrorFolderExists", "A folder with the specified name already exists."},
    {"ErrorFolderNotFound", "The specified folder could not be found in the store."},
    {"ErrorImpersonateUserDenied",
     "The account does not have permission to impersonate the requested user."},
    {"ErrorImpersonationDenied", "The server to which the application is connected cannot "
                                 "impersonate the requested user due to insufficient permission."},
    {"ErrorImpersonationFailed", "Unable to set up impersonation for the requested user."},
    {"ErrorInternalServerError", "An internal server error occurred. The operation failed."},
    {"ErrorInternalServerTransientError", "An internal server error occurred. Try again later."},
    {"ErrorInvalidIdMalformed", "Id is malformed."},
    {"ErrorInvalidPropertyRequest", "Property is not valid for this object type."},
    {"ErrorInvalidRecipients", "At least one recipient isn't valid."},
    {"ErrorInvalidRequest", "The request is invalid."},
    {"ErrorInvalidServerVersion", "The specified server version is invalid."},
    {"ErrorInvalidSid", "The SID in the request is malformed."},
    {"ErrorIrresolvableConflict",
     "The send or update operation could not be performed because the change key passed in the "
     "request does not match the current change key for the item."},
    {"ErrorItemNotFound", "The specified object was not found in the store."},
    {"ErrorMailboxMoveInProgress", "Mailbox move in progress. Try again later."},
    {"ErrorMailboxStoreUnavailable", "The mailbox database is temporarily unavailable."},
    {"ErrorMessageDispositionRequired",
     "Message disposition is required for the requested operation."},
    {"ErrorMimeContentConversionFailed", "The mime content conversion failed."},
    {"ErrorMissingEmailAddress",
     "When making a request as an account that does not have a mailbox, you must specify the "
     "mailbox primary SMTP address for any distinguished folder Ids."},
    {"ErrorMissingRecipients", "The message has no recipients."},
    {"ErrorNameResolutionMultipleResults", "Multiple results were found."},
    {"ErrorNameResolutionNoResults", "No results were found."},
    {"ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it."},
    {"ErrorSchemaValidation", "The request failed schema validation."},
    {"ErrorSendAsDenied", "The user account which was used to submit this request does not have "
                          "the right to send mail on behalf of the specified sending account."},
    {"ErrorServerBusy", "The server cannot service this request right now. Try again later."},
    {"ErrorTimeoutExpired", "The request timed out."},
    {"ErrorTooManyObjectsOpened", "Too many concurrent connections opened."},
    {"ErrorUnsupportedMimeConversion", "Mime conversion is not supported for this item type."},
    {"ErrorUnsupportedPathForQuery", "The property can not be used with this type of restriction."},
    {"ErrorUnsupportedPathForSortGroup", "The property can not be used for sorting or grouping."},
};

const char *response_code_text(const char *code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i][0], code) == 0)
            return texts[i][1];
    return "The operation could not be completed.";
}
