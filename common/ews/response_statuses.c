#include "ews/response_meanings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_CODE "HTTP "

#define GOES_ON " exsyncd tests again by itself."
#define RESUMES "Nothing needs to be done: exsyncd tries again by itself."

/* A request that is larger than this may have been refused for its size; those that only ask for
 * items never are. */
enum { LARGE_REQUEST = 1 << 20 };

struct status_row {
    uint16_t status;
    struct response_meaning meaning;
};

#define STATUS(status_, category_, scope_, ...)                                           \
    {                                                                                     \
        status_,                                                                          \
        {                                                                                 \
            .category = FAILURE_##category_, .scope = FAILURE_SCOPE_##scope_, __VA_ARGS__ \
        }                                                                                 \
    }

static const char check_url[] =
    "Correct the url of the profile: https://SERVER/EWS/Exchange.asmx, on the server that has the "
    "mailboxes." GOES_ON;
static const char moved[] = "The server sends the request to another address.";
static const char not_ews[] =
    "What answers at the url of the profile is not Exchange Web Services.";
static const char check_server[] =
    "If it lasts, check the server, its event log, and the load balancer before it." GOES_ON;
static const char bad_gateway[] =
    "The load balancer or proxy got no answer from the server behind it.";

/* In the order of the statuses. 401 usually ends in http/ already.
 *
 * What promises that nothing was done is what is said of the request itself. 408, 502, 503 and 504
 * do not: a load balancer says them of the server behind it, perhaps after it has passed the
 * request on. That Exchange is busy it says itself, by ErrorServerBusy in a SOAP fault. */
static const struct status_row rows[] = {
    STATUS(301, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true, .sentence = moved,
           .remedy = check_url),
    STATUS(302, CONFIGURATION, PROFILE, .nothing_done = true, .sentence = moved,
           .remedy = check_url),
    STATUS(303, CONFIGURATION, PROFILE, .sentence = moved, .remedy = check_url),
    STATUS(307, CONFIGURATION, PROFILE, .nothing_done = true, .sentence = moved,
           .remedy = check_url),
    STATUS(308, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true, .sentence = moved,
           .remedy = check_url),
    STATUS(400, PROTOCOL, MAILBOX, .nothing_done = true, .divisible = true,
           .sentence = "The server does not understand the request.", .remedy = check_server),
    STATUS(401, AUTHENTICATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = "The server did not accept the account's credentials.",
           .remedy =
               "Check the account and the password of the profile: wrong, expired, locked, or "
               "not allowed to use the service." GOES_ON),
    STATUS(403, AUTHORIZATION, MAILBOX, .nothing_done = true, .permanent = true,
           .sentence = "The server forbids the account to use Exchange Web Services here.",
           .remedy =
               "Check whether Exchange Web Services are enabled for the account and the mailbox "
               "(Set-CASMailbox -EwsEnabled, EwsApplicationAccessPolicy), and what the web "
               "server and the load balancer allow." GOES_ON),
    STATUS(404, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = "There is nothing at the url of the profile.", .remedy = check_url),
    STATUS(405, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = not_ews, .remedy = check_url),
    STATUS(406, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = not_ews, .remedy = check_url),
    STATUS(407, NETWORK, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = "A proxy between this machine and the server asks for a sign-in.",
           .remedy = "Let this machine reach the server without that proxy." GOES_ON),
    STATUS(408, NETWORK, MAILBOX, .divisible = true,
           .sentence = "The server gave the request up because it came too slowly.",
           .remedy = check_server),
    STATUS(410, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = "There is nothing at the url of the profile any more.", .remedy = check_url),
    STATUS(413, ITEM, MAILBOX, .nothing_done = true, .permanent = true, .divisible = true,
           .sentence = "The request is larger than the server allows.",
           .remedy = "Raise the request size limit of Exchange Web Services on the web server and "
                     "the load balancer." GOES_ON),
    STATUS(415, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = not_ews, .remedy = check_url),
    STATUS(429, THROTTLING, MAILBOX, .nothing_done = true, .sentence = "The server is busy.",
           .remedy = RESUMES),
    STATUS(431, PROTOCOL, MAILBOX, .nothing_done = true, .permanent = true,
           .sentence = "The head of the request is larger than the server allows.",
           .remedy = "The Kerberos ticket of an account in very many groups is large: take the "
                     "account out of groups, or choose auth = ntlm." GOES_ON),
    STATUS(440, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = "The url of the profile asks for a sign-in by a web form.",
           .remedy = check_url),
    STATUS(449, THROTTLING, MAILBOX, .nothing_done = true,
           .sentence = "The server asks to try again later.", .remedy = RESUMES),
    STATUS(451, MAILBOX, MAILBOX, .nothing_done = true, .permanent = true,
           .sentence = "The mailbox is on another server.",
           .remedy = "Put the mailbox on a profile whose url is that of its own server." GOES_ON),
    STATUS(456, AUTHENTICATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = "The server has blocked the account until somebody signs in with it.",
           .remedy = "Sign in with the account and follow what it says." GOES_ON),
    STATUS(500, SERVER, MAILBOX, .divisible = true,
           .sentence = "An error occurred inside the server.", .remedy = check_server),
    STATUS(501, CONFIGURATION, PROFILE, .nothing_done = true, .unsupported = true,
           .permanent = true, .sentence = not_ews, .remedy = check_url),
    STATUS(502, SERVER, MAILBOX, .divisible = true, .sentence = bad_gateway,
           .remedy = check_server),
    STATUS(503, THROTTLING, MAILBOX, .sentence = "The server is busy or not available.",
           .remedy = RESUMES),
    STATUS(504, SERVER, MAILBOX, .divisible = true, .sentence = bad_gateway,
           .remedy = check_server),
    STATUS(505, CONFIGURATION, PROFILE, .nothing_done = true, .permanent = true,
           .sentence = not_ews, .remedy = check_url),
    STATUS(507, SERVER, MAILBOX, .sentence = "The server has no space left.",
           .remedy = check_server),
    STATUS(509, THROTTLING, MAILBOX, .nothing_done = true, .sentence = "The server is busy.",
           .remedy = RESUMES),
};

/* All others, by their first digit. */
static const struct response_meaning other_success = {
    .category = FAILURE_PROTOCOL,
    .scope = FAILURE_SCOPE_MAILBOX,
    .divisible = true,
    .sentence = "The server's answer cannot be understood.",
    .remedy = check_server,
};
static const struct response_meaning other_redirect = {
    .category = FAILURE_CONFIGURATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .nothing_done = true,
    .sentence = moved,
    .remedy = check_url,
};
static const struct response_meaning other_refusal = {
    .category = FAILURE_PROTOCOL,
    .scope = FAILURE_SCOPE_MAILBOX,
    .divisible = true,
    .sentence = "The server refuses the request.",
    .remedy = check_server,
};
static const struct response_meaning other_error = {
    .category = FAILURE_SERVER,
    .scope = FAILURE_SCOPE_MAILBOX,
    .divisible = true,
    .sentence = "The server cannot answer the request.",
    .remedy = check_server,
};

/* 404 or 413 to a large request, often while it is still being sent, is how IIS refuses its size.
 */
static const struct response_meaning too_large = {
    .category = FAILURE_ITEM,
    .scope = FAILURE_SCOPE_ITEM,
    .permanent = true,
    .divisible = true,
    .nothing_done = true,
    .sentence = "The message is larger than the server allows in a request.",
    .remedy =
        "Raise the request size limit of Exchange Web Services on the web server and the load "
        "balancer, or make the message smaller; submit it again if it was to be sent.",
};

static const struct response_meaning *meaning_of(uint16_t status, uint64_t sent_bytes)
{
    if ((status == 404 || status == 413) && sent_bytes > LARGE_REQUEST)
        return &too_large;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status)
            return &rows[i].meaning;
    }
    if (status >= 500)
        return &other_error;
    if (status >= 400)
        return &other_refusal;
    return status >= 300 ? &other_redirect : &other_success;
}

const struct response_meaning *response_status_meaning(const char *code)
{
    if (strncmp(code, STATUS_CODE, strlen(STATUS_CODE)) != 0)
        return NULL;
    return meaning_of((uint16_t)strtoul(code + strlen(STATUS_CODE), NULL, 10), 0);
}

struct failure response_status_failure(const char *step, uint16_t status, uint64_t sent_bytes,
                                       uint32_t retry_after_ms, enum response_place place)
{
    struct failure failure = response_failure_of(step, meaning_of(status, sent_bytes), place);
    char code[FAILURE_CODE_SIZE];
    snprintf(code, sizeof code, STATUS_CODE "%u", (unsigned)status);
    failure_set_code(&failure, code);
    failure.http_status = status;
    failure.retry_after_ms = retry_after_ms;
    return failure;
}
