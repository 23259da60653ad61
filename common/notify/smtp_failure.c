#include "notify/smtp_failure.h"

#include <stdio.h>
#include <string.h>

#define AGAIN " exsyncd tries again by itself."

static const char check_network[] =
    "Check the SMTP server, the network and the firewall between this machine and the server, and "
    "the url of [smtp]." AGAIN;
static const char check_server[] = "Check the SMTP server and its log." AGAIN;
static const char wait_for_server[] =
    "Nothing needs to be done unless it lasts; then check the SMTP server and its log." AGAIN;
static const char check_account[] =
    "Check username and the password of [smtp], and how the SMTP server lets accounts sign "
    "in." AGAIN;
static const char check_certificate[] =
    "Have the SMTP server's certificate put right, or name the certificate of the authority that "
    "signed it as tls_ca_file in [smtp]." AGAIN;
static const char check_tls[] =
    "Check which TLS versions and ciphers the SMTP server offers, and that the port in the url of "
    "[smtp] is the right one: smtps:// is for ports that speak TLS from the start." AGAIN;
static const char check_url[] =
    "Correct the url of [smtp]: smtp://HOST:PORT or smtps://HOST:PORT." AGAIN;
static const char free_memory[] = "Free memory or file descriptors on this machine." AGAIN;

/* --- what the server answers --- */

enum { ANY_STAGE = SMTP_STAGE_COUNT };

/* The first row that fits counts; `code` is an answer's, or its first digit, or 0 for any. */
struct answer_row {
    unsigned stage;
    unsigned code;
    enum failure_category category;
    const char *sentence;
    const char *remedy;
};

static const struct answer_row answer_rows[] = {
    {ANY_STAGE, 421, FAILURE_SERVER, "The SMTP server is shutting down or too busy.",
     wait_for_server},
    {ANY_STAGE, 530, FAILURE_AUTHENTICATION,
     "The SMTP server takes mail only from those who sign in.",
     "Write username and password_file, or password_credential, into [smtp]; the server may want "
     "starttls = required, too." AGAIN},
    {SMTP_STAGE_AUTH, 4, FAILURE_AUTHENTICATION,
     "The SMTP server could not check the account's credentials.", wait_for_server},
    {SMTP_STAGE_AUTH, 5, FAILURE_AUTHENTICATION,
     "The SMTP server did not accept the account's credentials.", check_account},
    {SMTP_STAGE_STARTTLS, 0, FAILURE_TLS,
     "The SMTP server offers encryption (STARTTLS) and refuses to begin it.", check_server},
    {ANY_STAGE, 4, FAILURE_SERVER, "The SMTP server does not take the message for now.",
     wait_for_server},
    {SMTP_STAGE_CONNECT, 5, FAILURE_AUTHORIZATION, "The SMTP server does not serve this machine.",
     "Have the SMTP server let this machine in." AGAIN},
    {SMTP_STAGE_EHLO, 5, FAILURE_AUTHORIZATION, "The SMTP server does not serve this machine.",
     "Have the SMTP server let this machine in, under the name that it gives itself "
     "(hostname)." AGAIN},
    {SMTP_STAGE_MAIL, 5, FAILURE_AUTHORIZATION,
     "The SMTP server does not take mail from the sender's address.",
     "Write an address that it takes as from in [smtp], or have the server take this one." AGAIN},
    {SMTP_STAGE_RCPT, 5, FAILURE_AUTHORIZATION,
     "The SMTP server does not take mail for the owner's address.",
     "Check owner in the profile, and have the SMTP server relay mail from this machine to that "
     "address, or give [smtp] an account that may send there." AGAIN},
    {ANY_STAGE, 5, FAILURE_ITEM, "The SMTP server refused the message.",
     "See what the SMTP server says: its filter or a limit stands against the message." AGAIN},
};

static const struct answer_row *find_answer(const struct smtp_exchange *exchange)
{
    for (size_t i = 0; i < sizeof answer_rows / sizeof *answer_rows; i++) {
        const struct answer_row *row = &answer_rows[i];
        if ((row->stage == ANY_STAGE || row->stage == exchange->stage) &&
            (row->code == 0 || row->code == exchange->code || row->code == exchange->code / 100))
            return row;
    }
    return NULL;
}

static struct failure refused(const struct smtp_exchange *exchange, const struct answer_row *row)
{
    struct failure failure = {
        .category = row->category,
        .scope = FAILURE_SCOPE_PROFILE,
        .permanent = exchange->code >= 500,
        .sentence = row->sentence,
        .remedy = row->remedy,
    };
    char code[FAILURE_CODE_SIZE];
    snprintf(code, sizeof code, "SMTP %u", exchange->code);
    failure_set_code(&failure, code);
    failure_set_step(&failure, smtp_stage_name(exchange->stage));
    failure_set_text(&failure, exchange->answer, exchange->answer_length);
    return failure;
}

/* --- what libcurl says --- */

struct curl_row {
    CURLcode code;
    const char *name;
    enum failure_category category;
    bool permanent;
    const char *sentence;
    const char *remedy;
};

#define ROW(code, category, permanent, sentence, remedy)             \
    {                                                                \
        code, #code, FAILURE_##category, permanent, sentence, remedy \
    }

static const char not_trusted[] = "The SMTP server's certificate is not trusted.";
static const char no_tls[] = "No TLS connection to the SMTP server could be made.";
static const char lost[] = "The SMTP server closed the connection.";

/* One line for each code of libcurl 7.88 that a delivery can end with when the server did not
 * refuse it by an answer. */
static const struct curl_row curl_rows[] = {
    ROW(CURLE_UNSUPPORTED_PROTOCOL, CONFIGURATION, true,
        "The url of [smtp] is neither smtp nor smtps.", check_url),
    ROW(CURLE_URL_MALFORMAT, CONFIGURATION, true, "The url of [smtp] is not a valid address.",
        check_url),
    ROW(CURLE_COULDNT_RESOLVE_HOST, NETWORK, false,
        "The name of the SMTP server could not be resolved.",
        "Check the server's name in the url of [smtp] and the name service of this machine." AGAIN),
    ROW(CURLE_COULDNT_CONNECT, NETWORK, false, "No connection to the SMTP server could be made.",
        check_network),
    ROW(CURLE_OPERATION_TIMEDOUT, NETWORK, false, "The SMTP server did not answer in time.",
        check_network),
    ROW(CURLE_SEND_ERROR, NETWORK, false, lost, check_server),
    ROW(CURLE_RECV_ERROR, NETWORK, false, lost, check_server),
    ROW(CURLE_GOT_NOTHING, NETWORK, false, lost, check_server),
    ROW(CURLE_WEIRD_SERVER_REPLY, PROTOCOL, false, "What the server answered is not SMTP.",
        check_url),
    ROW(CURLE_PEER_FAILED_VERIFICATION, TLS, true, not_trusted, check_certificate),
    ROW(CURLE_SSL_ISSUER_ERROR, TLS, true, not_trusted, check_certificate),
    ROW(CURLE_SSL_CONNECT_ERROR, TLS, false, no_tls, check_tls),
    ROW(CURLE_SSL_CIPHER, TLS, true, no_tls, check_tls),
    ROW(CURLE_SSL_CERTPROBLEM, TLS, true, no_tls, check_tls),
    ROW(CURLE_USE_SSL_FAILED, TLS, true,
        "The SMTP server does not offer to encrypt the connection (STARTTLS).",
        "Have the SMTP server offer STARTTLS, use smtps://, or, for a server on this machine, "
        "write starttls = never in [smtp]." AGAIN),
    ROW(CURLE_SSL_CACERT_BADFILE, CONFIGURATION, true,
        "The file of trusted certificates cannot be used.",
        "Check that tls_ca_file in [smtp] exists, that the service may read it, and that it holds "
        "certificates in PEM." AGAIN),
    ROW(CURLE_LOGIN_DENIED, AUTHENTICATION, true,
        "The SMTP server offers no way of signing in that is known here.", check_account),
    ROW(CURLE_AUTH_ERROR, AUTHENTICATION, true, "Signing in to the SMTP server failed.",
        check_account),
    ROW(CURLE_OUT_OF_MEMORY, SERVER, false, "This machine has no memory left.", free_memory),
    ROW(CURLE_FAILED_INIT, SERVER, false, "A delivery could not be begun on this machine.",
        free_memory),
};

static const struct curl_row curl_other = {
    CURLE_OK,    "", FAILURE_PROTOCOL, false, "The exchange with the SMTP server failed.",
    check_server};

static const struct curl_row *find_row(CURLcode code)
{
    for (size_t i = 0; i < sizeof curl_rows / sizeof *curl_rows; i++) {
        if (curl_rows[i].code == code)
            return &curl_rows[i];
    }
    return &curl_other;
}

static struct failure broken(CURLcode result, const struct smtp_exchange *exchange,
                             const char *error)
{
    const struct curl_row *row = find_row(result);
    struct failure failure = {
        .category = row->category,
        .scope = FAILURE_SCOPE_PROFILE,
        .permanent = row->permanent,
        .in_doubt = exchange->whole,
        .sentence = row->sentence,
        .remedy = row->remedy,
    };
    char code[FAILURE_CODE_SIZE];
    snprintf(code, sizeof code, "CURLE_%d", (int)result);
    failure_set_code(&failure, row->name[0] != '\0' ? row->name : code);
    failure_set_step(&failure, smtp_stage_name(exchange->stage));
    const char *text = error[0] != '\0' ? error : curl_easy_strerror(result);
    failure_set_text(&failure, text, strlen(text));
    if (exchange->whole) {
        failure.sentence = "The SMTP server got the whole message and did not say whether it has "
                           "taken it.";
        failure.remedy = "Check the SMTP server and its log; the message may come twice." AGAIN;
    }
    return failure;
}

struct failure smtp_failure_of(CURLcode result, const struct smtp_exchange *exchange,
                               const char *error)
{
    const struct answer_row *row = NULL;
    if (exchange->code >= 400 && exchange->code < 600)
        row = find_answer(exchange);
    return row != NULL ? refused(exchange, row) : broken(result, exchange, error);
}

struct failure smtp_failure_of_address(const char *what)
{
    struct failure failure = {
        .category = FAILURE_CONFIGURATION,
        .scope = FAILURE_SCOPE_PROFILE,
        .permanent = true,
        .sentence = "An address of the message cannot be given to an SMTP server.",
        .remedy = "Correct owner in the profile, or from in [smtp]." AGAIN,
    };
    failure_set_code(&failure, "address");
    failure_set_step(&failure, what);
    failure_format_text(&failure,
                        "the address of %s is empty, or has a character that cannot be "
                        "there",
                        what);
    return failure;
}
