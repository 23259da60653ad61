#include "daemon/check_kerberos.h"

#include "http/http_ticket.h"

#include <stdlib.h>
#include <string.h>

static const struct config_profile *find_without_password(const struct config *config)
{
    for (size_t i = 0; i < config->profile_count; i++) {
        const struct config_profile *profile = &config->profiles[i];
        if (profile->auth == CONFIG_AUTH_NEGOTIATE && profile->password == NULL)
            return profile;
    }
    return NULL;
}

/* What the service has in its environment; NULL: nothing. */
static const char *value_of(const struct unit_file *unit, const struct buffer *given,
                            const char *name)
{
    if (unit->installed)
        return given->length == 0 ? NULL : given->data;
    return getenv(name);
}

void check_kerberos(const struct config *config, const struct unit_file *unit,
                    struct buffer *report)
{
    const struct config_profile *profile = find_without_password(config);
    const char *table = value_of(unit, &unit->key_table, "KRB5_CLIENT_KTNAME");
    struct failure failure;
    if (profile == NULL || value_of(unit, &unit->ticket_cache, "KRB5CCNAME") != NULL)
        return;
    if (table != NULL && strchr(table, '%') != NULL)
        return;
    if (!http_ticket_check_table(table, &failure))
        buffer_append_format(report, "warning: profile %s has no password: %s (%s: %s) %s\n",
                             profile->name, failure.sentence, failure.code, failure.text,
                             failure.remedy);
}
