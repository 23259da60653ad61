#include "tools/exsyncctl_check.h"
#include "tools/exsyncctl_output.h"

#include "base/text.h"

#include <string.h>

enum { LINE_SIZE = 2048 };

static const char *const state_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* ";1": nothing behind the semicolon when there is no limit. */
static void print_limit(const struct exsyncctl *tool, long long limit)
{
    if (limit == CHECK_NO_LIMIT)
        output_print(tool, OUTPUT_PLAIN, ";");
    else
        output_print(tool, OUTPUT_PLAIN, ";%lld", limit);
}

/* A bar begins the performance data: there is none in the words. */
static void print_words(const struct exsyncctl *tool, const struct check *check,
                        const char *reasons)
{
    struct buffer words = {0};
    size_t index;
    const json_t *address;
    buffer_append_format(&words, "EXSYNCD %s: %s", state_names[check->status], reasons);
    json_array_foreach(check->named, index, address)
    {
        buffer_append_format(&words, "%s%s", index == 0 ? " (in trouble: " : ", ",
                             json_string_value(address));
    }
    for (char *bar = words.data; (bar = strchr(bar, '|')) != NULL;)
        *bar = '/';
    output_print(tool, OUTPUT_PLAIN, "%s%s%s", words.data,
                 json_array_size(check->named) > 0 ? ")" : "", check->data_count > 0 ? " |" : "");
    buffer_release(&words);
}

static void print_line(const struct exsyncctl *tool, const struct check *check, const char *reasons)
{
    print_words(tool, check, reasons);
    for (size_t i = 0; i < check->data_count; i++) {
        const struct check_datum *datum = &check->data[i];
        output_print(tool, OUTPUT_PLAIN, " %s=%lld", datum->label, datum->value);
        print_limit(tool, datum->warning);
        print_limit(tool, datum->critical);
        output_print(tool, OUTPUT_PLAIN, ";0;");
    }
    output_print(tool, OUTPUT_PLAIN, "\n");
}

static json_t *limit_of(long long limit)
{
    return limit == CHECK_NO_LIMIT ? json_null() : json_integer(limit);
}

static void print_object(const struct check *check, const char *reasons)
{
    json_t *data = json_object();
    for (size_t i = 0; i < check->data_count; i++) {
        const struct check_datum *datum = &check->data[i];
        json_object_set_new(data, datum->label,
                            json_pack("{s:I, s:o, s:o}", "value", (json_int_t)datum->value,
                                      "warning", limit_of(datum->warning), "critical",
                                      limit_of(datum->critical)));
    }
    json_t *object = json_pack("{s:s, s:s, s:i, s:s, s:O, s:o}", "kind", "check", "state",
                               state_names[check->status], "code", (int)check->status, "summary",
                               reasons, "in_trouble", check->named, "performance", data);
    exsyncctl_print_json(object);
    json_decref(object);
}

int check_tell(struct exsyncctl *tool, const struct check *check, bool as_json)
{
    char reasons[LINE_SIZE];
    text_copy_shown(reasons, sizeof reasons, buffer_string(&check->reasons), check->reasons.length);
    if (as_json)
        print_object(check, reasons);
    else
        print_line(tool, check, reasons);
    return (int)check->status;
}
