#include "base/digest.h"

#include <openssl/evp.h>
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
    digest_require(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
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
