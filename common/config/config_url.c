#include "config/config_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char usual_path[] = "/EWS/Exchange.asmx";

/* Only a whole address: what only looks like one (127.0.0.1.5) is a name that is looked up. */
static bool is_loopback_address(const char *host, size_t length)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (length >= sizeof text)
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_loopback(const char *host, size_t length)
{
    return (length == 9 && strncasecmp(host, "localhost", 9) == 0) ||
           (length == 5 && strncmp(host, "[::1]", 5) == 0) || is_loopback_address(host, length);
}

/* The length of a host name, an IPv4 address, or an IPv6 address in brackets; 0 when it is none. */
static size_t host_length(const char *text)
{
    size_t length = 0;
    if (*text == '[') {
        length = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        return length > 2 && text[length] == ']' ? length + 1 : 0;
    }
    while (isalnum((unsigned char)text[length]) || text[length] == '.' || text[length] == '-' ||
           text[length] == '_')
        length++;
    return length > 0 && isalnum((unsigned char)*text) ? length : 0;
}

/* What follows the host: a port, when there is one. Returns its length, or -1 when it is wrong. */
static int port_length(const char *text)
{
    if (*text != ':')
        return 0;
    int digits = (int)strspn(text + 1, "0123456789");
    unsigned port = 0;
    for (int i = 1; i <= digits && digits <= 5; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    return digits == 0 || digits > 5 || port == 0 || port > 65535 ? -1 : digits + 1;
}

static bool check_path(const char *url, size_t host_end, struct buffer *wrong)
{
    const char *path = url + host_end;
    if (*path == '\0' || strcmp(path, "/") == 0) {
        buffer_append_format(wrong, "has no path; write %.*s%s", (int)host_end, url, usual_path);
        return false;
    }
    if (*path != '/') {
        buffer_append_format(wrong, "has a wrong host or port; write https://HOST%s", usual_path);
        return false;
    }
    for (const char *at = path; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("?#\"<>\\^`{|}", *at) != NULL) {
            buffer_append_format(wrong,
                                 "has a character in its path that cannot be there; write "
                                 "%.*s%s",
                                 (int)host_end, url, usual_path);
            return false;
        }
    }
    return true;
}

static size_t scheme_length(const char *url)
{
    const char *end = strstr(url, "://");
    return end == NULL ? 0 : (size_t)(end - url) + 3;
}

bool config_read_url(const char *url, struct buffer *wrong)
{
    size_t scheme = scheme_length(url);
    const char *host = url + scheme;
    /* A URL with an account in it can hold a password and is not repeated. */
    if (strchr(host, '@') != NULL) {
        buffer_append_format(wrong,
                             "names an account; write https://HOST%s, and the account in "
                             "username and password_file",
                             usual_path);
        return false;
    }
    size_t length = host_length(host);
    int port = length == 0 ? -1 : port_length(host + length);
    if (port < 0) {
        buffer_append_format(wrong, "has a wrong host or port; write https://HOST%s", usual_path);
        return false;
    }
    size_t host_end = scheme + length + (size_t)port;
    bool https = scheme == 8 && strncasecmp(url, "https://", 8) == 0;
    bool http = scheme == 7 && strncasecmp(url, "http://", 7) == 0;
    if (!https && !(http && is_loopback(host, length))) {
        const char *path = url + host_end;
        buffer_append_format(wrong, "%s; write https://%.*s%s",
                             http ? "is not encrypted, and http:// is for this machine only"
                                  : "does not begin with https://",
                             (int)(length + (size_t)port), host,
                             *path == '/' && path[1] != '\0' ? path : usual_path);
        return false;
    }
    return check_path(url, host_end, wrong);
}

/* --- SMTP servers --- */

bool config_smtp_url_is_encrypted(const char *url)
{
    return strncasecmp(url, "smtps://", 8) == 0;
}

bool config_smtp_url_is_this_machine(const char *url)
{
    const char *host = url + scheme_length(url);
    return is_loopback(host, host_length(host));
}

/* libcurl takes a path for the name to greet the server with. */
bool config_read_smtp_url(const char *url, struct buffer *wrong)
{
    size_t scheme = scheme_length(url);
    const char *host = url + scheme;
    if (strchr(host, '@') != NULL) {
        buffer_append_string(wrong, "names an account; write smtp://HOST:PORT, and the account in "
                                    "username and password_file");
        return false;
    }
    size_t length = host_length(host);
    int port = length == 0 ? -1 : port_length(host + length);
    const char *rest = port < 0 ? "" : host + length + port;
    if (port < 0 || (*rest != '\0' && *rest != '/')) {
        buffer_append_string(wrong, "has a wrong host or port; write smtp://HOST:PORT or "
                                    "smtps://HOST:PORT");
        return false;
    }
    bool smtp = scheme == 7 && strncasecmp(url, "smtp://", 7) == 0;
    if (smtp || config_smtp_url_is_encrypted(url)) {
        if (*rest == '\0')
            return true;
        buffer_append_format(wrong, "has something behind its host and port; write %.*s",
                             (int)(rest - url), url);
        return false;
    }
    buffer_append_format(wrong, "does not begin with smtp:// or smtps://; write smtp://%.*s",
                         (int)(rest - host), host);
    return false;
}
