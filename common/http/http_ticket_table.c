#include "http/http_ticket.h"

#include <errno.h>

static krb5_error_code read_first_entry(krb5_context context, krb5_keytab table)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(context, table, &cursor);
    if (code != 0)
        return code;
    code = krb5_kt_next_entry(context, table, &entry, &cursor);
    if (code == 0)
        krb5_free_keytab_entry_contents(context, &entry);
    krb5_kt_end_seq_get(context, table, &cursor);
    return code;
}

static krb5_error_code check_table(krb5_context context, const char *name, char *said,
                                   unsigned size)
{
    krb5_keytab table;
    krb5_error_code code = name == NULL ? krb5_kt_client_default(context, &table)
                                        : krb5_kt_resolve(context, name, &table);
    if (code != 0)
        return code;
    if (krb5_kt_get_name(context, table, said, size) != 0)
        said[0] = '\0';
    code = read_first_entry(context, table);
    krb5_kt_close(context, table);
    return code;
}

bool http_ticket_check_table(const char *name, struct failure *failure)
{
    krb5_context context;
    char said[FAILURE_TEXT_SIZE / 2] = "";
    krb5_error_code code = krb5_init_context(&context);
    if (code != 0) {
        *failure = http_ticket_failure(code, false, "");
        return false;
    }
    code = check_table(context, name, said, sizeof said);
    if (code != 0) {
        const char *words = krb5_get_error_message(context, code);
        *failure = http_ticket_failure(code == ENOENT ? KRB5_KT_NOTFOUND : code, false, "");
        failure_format_text(failure, "%s: %s", said[0] != '\0' || name == NULL ? said : name,
                            words);
        krb5_free_error_message(context, words);
    }
    krb5_free_context(context);
    return code == 0;
}
