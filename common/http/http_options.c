/* What libcurl is told once of all requests of a pool: where they go and where never, who signs in,
 * whom to trust. */
#include "http/http_private.h"

enum { CONNECTION_AGE_S = 110 }; /* IIS closes connections that are idle for 120 s */

static CURLcode on_tls_context(CURL *easy, void *context, void *argument)
{
    (void)easy;
    const struct http_transfer *transfer = argument;
    if (transfer->abandoned || !http_trust_apply(transfer->pool->trust, context))
        return CURLE_SSL_CONNECT_ERROR;
    return CURLE_OK;
}

static void set_credentials(CURL *easy, const struct http_pool *pool)
{
    static const unsigned long ways[] = {
        [HTTP_AUTH_BASIC] = CURLAUTH_BASIC,
        [HTTP_AUTH_NTLM] = CURLAUTH_NTLM,
        [HTTP_AUTH_NEGOTIATE] = CURLAUTH_NEGOTIATE,
    };
    /* With Negotiate the ticket says who signs in; libcurl wants a name, and takes an empty one. */
    bool ticket = pool->auth == HTTP_AUTH_NEGOTIATE;
    const char *username = ticket || pool->username == NULL ? "" : pool->username;
    const char *password = ticket || pool->password == NULL ? "" : secret_reveal(pool->password);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, ways[pool->auth]);
    curl_easy_setopt(easy, CURLOPT_USERNAME, username);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
}

static void set_tls(struct http_transfer *transfer, const struct http_pool *pool)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, pool->tls_verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, pool->tls_verify ? 2L : 0L);
    /* The certificates come from http_trust. */
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    if (pool->trust != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
    }
}

static void set_protocol(CURL *easy, const struct http_pool *pool)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_URL, pool->url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, pool->user_agent);
    /* Nothing from the environment decides where mail goes. */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)HTTP_DATA_CHUNK);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)pool->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

void http_options_set(struct http_transfer *transfer)
{
    const struct http_pool *pool = transfer->pool;
    set_protocol(transfer->easy, pool);
    set_credentials(transfer->easy, pool);
    set_tls(transfer, pool);
}
