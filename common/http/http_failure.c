#include "http/http_failure.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

static const char check_network[] = "Check the server, the network and the firewall between this "
                                    "machine and the server, and the url "
                                    "of the profile. Sync resumes by itself.";
static const char check_server[] =
    "Check the server's event log and the load balancer before it. Sync resumes by itself.";
static const char check_url[] = "Correct the url of the profile.";
static const char check_tls[] = "Check which TLS versions and ciphers the server offers, and that "
                                "the port of the url is one that "
                                "speaks TLS.";
static const char check_certificate[] = "Have the server's certificate put right, or name the "
                                        "certificate of the authority that signed it "
                                        "as tls_ca_file in the profile.";
static const char check_account[] = "Check the account and the password of the profile: wrong, "
                                    "expired, locked, or not allowed to use "
                                    "the service.";
static const char report_fault[] = "Report this as a fault of exsyncd.";
static const char free_memory[] = "Free memory or file descriptors on this machine.";
static const char nothing[] = "";

enum phase {
    ALWAYS_PROFILE, /* whenever it happens */
    ONLY_BEFORE, /* the profile's; the row holds only before the request goes over a connection */
    BY_PHASE,    /* profile before the request goes over a connection, the mailbox's after that */
    ALWAYS_MAILBOX,
    OURS, /* this machine's */
};

/* One line for each code of libcurl 7.88 that an HTTP POST through the multi interface can end
 * with. The others cannot happen and would be faults of ours. */
struct curl_row {
    CURLcode code;
    const char *name;
    enum failure_category category;
    enum phase phase;
    bool permanent;
    bool divisible; /* once the request goes over a connection */
    const char *sentence;
    const char *remedy;
};

#define ROW(code, category, phase, permanent, divisible, sentence, remedy)             \
    {                                                                                  \
        code, #code, FAILURE_##category, phase, permanent, divisible, sentence, remedy \
    }

static const struct curl_row curl_rows[] = {
    ROW(CURLE_UNSUPPORTED_PROTOCOL, CONFIGURATION, ONLY_BEFORE, true, false,
        "The url of the profile is neither http nor https.", check_url),
    ROW(CURLE_URL_MALFORMAT, CONFIGURATION, ALWAYS_PROFILE, true, false,
        "The url of the profile is not a valid address.", check_url),
    ROW(CURLE_COULDNT_RESOLVE_HOST, NETWORK, ALWAYS_PROFILE, false, false,
        "The name of the server could not be resolved.",
        "Check the server's name in the url of the profile and the name service of this machine. "
        "Sync "
        "resumes by itself."),
    ROW(CURLE_COULDNT_CONNECT, NETWORK, ALWAYS_PROFILE, false, false,
        "No connection to the server could be made.", check_network),
    ROW(CURLE_INTERFACE_FAILED, NETWORK, ALWAYS_PROFILE, false, false,
        "No connection to the server could be made.", check_network),
    ROW(CURLE_OPERATION_TIMEDOUT, NETWORK, BY_PHASE, false, true,
        "The server did not answer in time.", check_network),
    ROW(CURLE_SEND_ERROR, NETWORK, BY_PHASE, false, true,
        "The connection was lost while the request was sent.", check_server),
    ROW(CURLE_RECV_ERROR, NETWORK, BY_PHASE, false, true,
        "The connection was lost before the answer was complete.", check_server),
    ROW(CURLE_GOT_NOTHING, NETWORK, BY_PHASE, false, true,
        "The server closed the connection without an answer.", check_server),
    ROW(CURLE_PARTIAL_FILE, NETWORK, ALWAYS_MAILBOX, false, true,
        "The server closed the connection in the middle of its answer.", check_server),
    ROW(CURLE_SEND_FAIL_REWIND, NETWORK, ALWAYS_MAILBOX, false, true,
        "The connection was lost after the request was sent; whether the server carried it out is "
        "not known.",
        nothing),
    ROW(CURLE_WEIRD_SERVER_REPLY, PROTOCOL, BY_PHASE, false, true,
        "What the server answered is not HTTP.", check_url),
    ROW(CURLE_UNSUPPORTED_PROTOCOL, PROTOCOL, BY_PHASE, false, true,
        "What the server answered is not HTTP.", check_url),
    ROW(CURLE_HTTP2, PROTOCOL, BY_PHASE, false, true, "What the server answered is not HTTP/1.1.",
        check_url),
    ROW(CURLE_BAD_CONTENT_ENCODING, PROTOCOL, ALWAYS_MAILBOX, false, true,
        "The server's answer is not encoded as it should be.", check_server),
    ROW(CURLE_READ_ERROR, PROTOCOL, ALWAYS_MAILBOX, false, true,
        "The server's answer is not HTTP as it should be.", check_server),
    ROW(CURLE_FILESIZE_EXCEEDED, PROTOCOL, ALWAYS_MAILBOX, false, true,
        "The server's answer is too large.", check_server),
    ROW(CURLE_WRITE_ERROR, PROTOCOL, ALWAYS_MAILBOX, false, true,
        "The server's answer is not HTTP as it should be.", check_server),
    ROW(CURLE_PEER_FAILED_VERIFICATION, TLS, ALWAYS_PROFILE, true, false,
        "The server's certificate is not trusted.", check_certificate),
    ROW(CURLE_SSL_ISSUER_ERROR, TLS, ALWAYS_PROFILE, true, false,
        "The server's certificate is not trusted.", check_certificate),
    ROW(CURLE_SSL_CONNECT_ERROR, TLS, ALWAYS_PROFILE, false, false,
        "No TLS connection to the server could be made.", check_tls),
    ROW(CURLE_USE_SSL_FAILED, TLS, ALWAYS_PROFILE, false, false,
        "No TLS connection to the server could be made.", check_tls),
    ROW(CURLE_SSL_INVALIDCERTSTATUS, TLS, ALWAYS_PROFILE, true, false,
        "The server's certificate is not trusted.", check_certificate),
    ROW(CURLE_SSL_CIPHER, TLS, ALWAYS_PROFILE, true, false,
        "The server and this machine have no TLS cipher in common.", check_tls),
    ROW(CURLE_SSL_CERTPROBLEM, TLS, ALWAYS_PROFILE, true, false,
        "The server asks for a certificate of this machine.", check_tls),
    ROW(CURLE_SSL_CLIENTCERT, TLS, ALWAYS_PROFILE, true, false,
        "The server asks for a certificate of this machine.", check_tls),
    ROW(CURLE_SSL_CACERT_BADFILE, CONFIGURATION, ALWAYS_PROFILE, true, false,
        "The file of trusted certificates cannot be used.",
        "Check that tls_ca_file exists, that the service may read it, and that it holds "
        "certificates "
        "in PEM."),
    ROW(CURLE_SSL_SHUTDOWN_FAILED, TLS, BY_PHASE, false, true,
        "The TLS connection was not closed as it should be.", check_server),
    ROW(CURLE_SSL_ENGINE_NOTFOUND, TLS, OURS, true, false, "TLS does not work on this machine.",
        report_fault),
    ROW(CURLE_SSL_ENGINE_INITFAILED, TLS, OURS, true, false, "TLS does not work on this machine.",
        report_fault),
    ROW(CURLE_LOGIN_DENIED, AUTHENTICATION, ALWAYS_PROFILE, true, false,
        "The server did not accept the account's credentials.", check_account),
    ROW(CURLE_REMOTE_ACCESS_DENIED, AUTHENTICATION, ALWAYS_PROFILE, true, false,
        "The server did not accept the account's credentials.", check_account),
    ROW(CURLE_AUTH_ERROR, AUTHENTICATION, ALWAYS_PROFILE, true, false,
        "Signing in to the server failed on this machine.",
        "Check the Kerberos ticket or key table of the service (klist -k FILE shows whose "
        "keys a key table has), or choose auth = ntlm."),
    ROW(CURLE_OUT_OF_MEMORY, SERVER, OURS, false, false, "This machine has no memory left.",
        free_memory),
    ROW(CURLE_FAILED_INIT, SERVER, OURS, false, false,
        "A request could not be begun on this machine.", free_memory),
    ROW(CURLE_NO_CONNECTION_AVAILABLE, SERVER, OURS, false, false,
        "No connection was free for the request.", report_fault),
    ROW(CURLE_ABORTED_BY_CALLBACK, SERVER, OURS, false, false,
        "A request could not be carried on on this machine.", free_memory),
};

static const struct curl_row curl_other = {
    CURLE_OK,
    "",
    FAILURE_PROTOCOL,
    BY_PHASE,
    false,
    true,
    "The exchange with the server failed in an unexpected way.",
    report_fault,
};

/* What is wrong with a certificate, where a person can do something particular about it. */
static const struct certificate_row {
    long result;
    const char *sentence;
} certificate_rows[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "The server's certificate has expired."},
    {X509_V_ERR_CERT_NOT_YET_VALID,
     "The server's certificate is not yet valid, or this machine's clock is wrong."},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
     "The server's certificate is signed by itself, not by an authority that this machine trusts."},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
     "The server's certificate comes from an authority that this machine does not trust."},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
     "The server's certificate comes from an authority that this machine does not trust."},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "The server's certificate comes from an authority that this machine does not trust."},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "The server's certificate comes from an authority that this machine does not trust."},
    {X509_V_ERR_CERT_REVOKED, "The server's certificate has been revoked."},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "The key of the server's certificate is too short."},
    {X509_V_ERR_CA_MD_TOO_WEAK, "The server's certificate is signed in a way that is too weak."},
    {X509_V_ERR_INVALID_PURPOSE, "The server's certificate is not meant for a server."},
    /* OpenSSL was content; libcurl compares the name. */
    {X509_V_ERR_UNSPECIFIED, "The server's certificate is for another name."},
    {X509_V_OK, "The server's certificate is for another name."},
};

static const struct curl_row *find_row(CURLcode code, bool performing)
{
    for (size_t i = 0; i < sizeof curl_rows / sizeof curl_rows[0]; i++) {
        const struct curl_row *row = &curl_rows[i];
        if (row->code == code && !(row->phase == ONLY_BEFORE && performing))
            return row;
    }
    return &curl_other;
}

static const char *find_certificate_sentence(long verify_result, const char *otherwise)
{
    for (size_t i = 0; i < sizeof certificate_rows / sizeof certificate_rows[0]; i++) {
        if (certificate_rows[i].result == verify_result)
            return certificate_rows[i].sentence;
    }
    return otherwise;
}

static void set_scope(struct failure *failure, const struct curl_row *row, bool performing)
{
    bool mailbox = row->phase == ALWAYS_MAILBOX || (row->phase == BY_PHASE && performing);
    if (row->phase == OURS)
        failure->scope = FAILURE_SCOPE_SERVER;
    else
        failure->scope = mailbox ? FAILURE_SCOPE_MAILBOX : FAILURE_SCOPE_PROFILE;
    failure->divisible = row->divisible && mailbox;
}

/* libcurl's words, and the system's where they say more. */
static void set_text(struct failure *failure, const struct http_failure_detail *detail,
                     const char *otherwise)
{
    const char *error = detail->error[0] != '\0' ? detail->error : otherwise;
    if (detail->system_error != 0 && !detail->performing)
        failure_format_text(failure, "%s: %s", error, strerror((int)detail->system_error));
    else
        failure_format_text(failure, "%s", error);
}

struct failure http_failure_of_curl(CURLcode code, const struct http_failure_detail *detail)
{
    const struct curl_row *row = find_row(code, detail->performing);
    struct failure failure = {
        .category = row->category,
        .permanent = row->permanent,
        .http_status = detail->status,
        .sentence = row->sentence,
        .remedy = row->remedy,
    };
    set_scope(&failure, row, detail->performing);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        failure.sentence = find_certificate_sentence(detail->verify_result, row->sentence);
    if (row->name[0] != '\0') {
        failure_set_code(&failure, row->name);
    } else {
        char name[FAILURE_CODE_SIZE];
        snprintf(name, sizeof name, "CURLE_%d", (int)code);
        failure_set_code(&failure, name);
    }
    set_text(&failure, detail, curl_easy_strerror(code));
    return failure;
}

/* `what` happened for so long. */
static struct failure failure_of_time(const char *what, uint64_t time_ms,
                                      const struct http_failure_detail *detail)
{
    struct http_failure_detail plain = *detail;
    plain.system_error = 0;
    struct failure failure = http_failure_of_curl(CURLE_OPERATION_TIMEDOUT, &plain);
    failure_format_text(
        &failure, "%s: %s for %llu.%llu s",
        detail->status != 0 ? "in the middle of the answer" : "before the answer began", what,
        (unsigned long long)(time_ms / 1000), (unsigned long long)(time_ms % 1000 / 100));
    return failure;
}

struct failure http_failure_idle(uint64_t idle_ms, const struct http_failure_detail *detail)
{
    return failure_of_time("nothing came or went", idle_ms, detail);
}

struct failure http_failure_trickle(uint64_t trickle_ms, const struct http_failure_detail *detail)
{
    return failure_of_time("next to nothing came or went", trickle_ms, detail);
}

struct failure http_failure_long_head(const struct http_failure_detail *detail)
{
    struct failure failure = http_failure_of_curl(CURLE_WEIRD_SERVER_REPLY, detail);
    failure.sentence = "The head of the server's answer is too long.";
    failure.remedy = check_server;
    failure_set_text(&failure, "", 0);
    return failure;
}

struct failure http_failure_coded(const struct http_failure_detail *detail)
{
    struct failure failure = http_failure_of_curl(CURLE_BAD_CONTENT_ENCODING, detail);
    failure.sentence = "The server's answer is compressed, which it was not asked for.";
    failure_set_text(&failure, "", 0);
    return failure;
}

static long auth_bit(enum http_auth auth)
{
    switch (auth) {
    case HTTP_AUTH_BASIC:
        return (long)CURLAUTH_BASIC;
    case HTTP_AUTH_NTLM:
        return (long)CURLAUTH_NTLM;
    case HTTP_AUTH_NEGOTIATE:
        return (long)CURLAUTH_NEGOTIATE;
    }
    return 0;
}

struct failure http_failure_refused(enum http_auth auth, long offered,
                                    const struct http_failure_detail *detail)
{
    struct failure failure = {
        .category = FAILURE_AUTHENTICATION,
        .scope = FAILURE_SCOPE_PROFILE,
        .permanent = true,
        .http_status = 401,
        .sentence = "The server did not accept the account's credentials.",
        .remedy = check_account,
    };
    failure_set_code(&failure, "HTTP 401");
    const char *negotiate = (offered & (long)CURLAUTH_NEGOTIATE) != 0 ? " Negotiate" : "";
    const char *ntlm = (offered & (long)CURLAUTH_NTLM) != 0 ? " NTLM" : "";
    const char *basic = (offered & (long)CURLAUTH_BASIC) != 0 ? " Basic" : "";
    bool other_ways = ntlm[0] != '\0' || negotiate[0] != '\0' || basic[0] != '\0';
    if (other_ways && (offered & auth_bit(auth)) == 0) {
        failure.sentence = "The server does not offer the way of signing in that the profile uses.";
        failure.remedy =
            "Set auth in the profile to one that the server offers, or have the server "
            "offer the one that is set.";
        failure.account_unasked = true;
    }
    const char *separator = detail->error[0] != '\0' ? "; " : "";
    if (other_ways)
        failure_format_text(&failure, "%s%sWWW-Authenticate:%s%s%s", detail->error, separator,
                            negotiate, ntlm, basic);
    else
        failure_format_text(&failure, "%s", detail->error);
    return failure;
}

struct failure http_failure_resolve(const char *host, bool unknown_name, const char *text)
{
    static const struct http_failure_detail nothing_said = {.error = ""};
    struct failure failure = http_failure_of_curl(CURLE_COULDNT_RESOLVE_HOST, &nothing_said);
    if (unknown_name)
        failure.sentence = "The name service does not know the name of the server.";
    failure_format_text(&failure, "%s: %s", host, text);
    return failure;
}

struct failure http_failure_resolve_timeout(const char *host, uint64_t timeout_ms)
{
    static const struct http_failure_detail nothing_said = {.error = ""};
    struct failure failure = http_failure_of_curl(CURLE_COULDNT_RESOLVE_HOST, &nothing_said);
    failure.sentence = "The name service did not answer in time.";
    failure_format_text(&failure, "%s: no answer for %llu s", host,
                        (unsigned long long)(timeout_ms / 1000));
    return failure;
}

struct failure http_failure_trust(const char *file, const char *text)
{
    static const struct http_failure_detail nothing_said = {.error = ""};
    struct failure failure = http_failure_of_curl(CURLE_SSL_CACERT_BADFILE, &nothing_said);
    failure_format_text(&failure, "%s: %s", file, text);
    return failure;
}
