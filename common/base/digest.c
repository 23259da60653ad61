#include "base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SHA-256 itself cannot fail; libcrypto can only when it has no memory or was built without it. */
static void digest_require(int succeeded)
{
    if (succeeded)
        return;
    fputs("exsyncd: libcrypto cannot compute SHA-256\n", stderr);
    abort();
}

/* Looked up once: libcrypto would do it again for each digest, which takes longer than the digest.
 */
static EVP_MD *sha256;

static void digest_look_up(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest_require(sha256 != NULL);
}

static const EVP_MD *digest_method(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, digest_look_up);
    return sha256;
}

static void digest_add(EVP_MD_CTX *context, const struct digest_part *part)
{
    uint64_t length = part->length;
    uint8_t prefix[8];
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix[i] = (uint8_t)(length >> (56 - 8 * i));
    digest_require(EVP_DigestUpdate(context, prefix, sizeof prefix) == 1);
    if (part->length > 0)
        digest_require(EVP_DigestUpdate(context, part->bytes, part->length) == 1);
}

struct digest digest_of(const struct digest_part *parts, size_t count)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    digest_require(context != NULL);
    digest_require(EVP_DigestInit_ex(context, digest_method(), NULL) == 1);
    for (size_t i = 0; i < count; i++)
        digest_add(context, &parts[i]);

    unsigned char whole[EVP_MAX_MD_SIZE];
    digest_require(EVP_DigestFinal_ex(context, whole, NULL) == 1);
    EVP_MD_CTX_free(context);

    struct digest digest;
    memcpy(digest.bytes, whole, sizeof digest.bytes);
    return digest;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
