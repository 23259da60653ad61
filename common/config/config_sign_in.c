/* What profiles and the SMTP server have in common: an account, its password, and TLS. */
#define _GNU_SOURCE /* memmem */
#include "config/config_build.h"
#include "config/config_password.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_CERTIFICATES = 4 * 1024 * 1024 };

static struct secret *read_password(struct config_builder *builder, struct config_chosen chosen)
{
    struct buffer wrong = {0};
    struct secret *password;
    if (!chosen.entry->good)
        return NULL;
    if (chosen.entry->key->kind == CONFIG_KIND_PATH) {
        password = config_password_from_file(chosen.entry->value.text, &wrong);
    } else {
        password = config_password_from_credential(chosen.entry->value.text, &wrong);
        builder->uses_credentials = true;
    }
    if (password == NULL)
        config_build_error(builder, chosen, "%s", buffer_string(&wrong));
    buffer_release(&wrong);
    return password;
}

struct secret *config_build_password(struct config_builder *builder,
                                     const struct config_account *account)
{
    bool file = account->file.entry != NULL;
    struct config_chosen password = file ? account->file : account->credential;
    if (file && account->credential.entry != NULL)
        config_build_error(builder, account->credential,
                           "is given beside password_file; delete one of them");
    if (account->username.entry != NULL && password.entry == NULL)
        config_build_error(builder, account->username,
                           "has no password; write password_file or password_credential, too");
    if (account->username.entry == NULL && password.entry != NULL)
        config_build_error(builder, password, "has no username; write username = %s, too",
                           account->form);
    return password.entry == NULL ? NULL : read_password(builder, password);
}

/* Certificates that cannot be read are found out now, not at the first connection. */
static void check_certificates(struct config_builder *builder, struct config_chosen chosen)
{
    struct stat status;
    if (chosen.entry == NULL || !chosen.entry->good)
        return;
    const char *path = chosen.entry->value.text;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        config_build_error(builder, chosen, "'%s' is no regular file; name one with certificates",
                           path);
        return;
    }
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        config_build_error(builder, chosen,
                           "'%s' cannot be read: %s; name a file that the user who runs exsyncd "
                           "can read",
                           path, strerror(errno));
        return;
    }
    char *bytes = memory_allocate(LARGEST_CERTIFICATES);
    size_t length = fread(bytes, 1, LARGEST_CERTIFICATES, stream);
    fclose(stream);
    if (memmem(bytes, length, "-----BEGIN", 10) == NULL) {
        bool binary = length > 1 && bytes[0] == 0x30; /* an ASN.1 sequence: DER */
        config_build_error(builder, chosen, "'%s' holds no certificate in PEM; %s", path,
                           binary ? "convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
                                  : "name a file with BEGIN CERTIFICATE lines");
    }
    memory_free(bytes);
}

bool config_build_tls(struct config_builder *builder,
                      const struct config_chosen chosen[CONFIG_KEY_COUNT],
                      enum config_key_id verification, enum config_key_id ca_file, const char *prey)
{
    bool verify = config_build_value(builder, chosen, verification)->number != 0;
    if (!verify)
        config_build_warning(builder, chosen[verification],
                             "the server's certificate is not checked; anybody in between can take "
                             "the password and %s",
                             prey);
    check_certificates(builder, chosen[ca_file]);
    return verify;
}
