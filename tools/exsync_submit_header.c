#define _GNU_SOURCE /* memrchr */
#include "tools/exsync_submit_header.h"

#include "mail/header.h"
#include "mail/resent.h"
#include "tools/exsync_submit_sender.h"

#include <string.h>

enum { NAMED_MAX = 3 }; /* recipients that a refusal names */

static const char nobody[] = "undisclosed-recipients:;";

/* What is known of a header after the first look. */
struct survey {
    const char *bytes;
    size_t length;
    const char *line_end; /* as the header's own lines end */
    bool has_from;
    bool rewrite;               /* recipients that were not given are taken out */
    struct resent_block resent; /* when found, its recipients count */
    struct address_list found;  /* recipients in the header */
    bool has_resent_bcc;
    struct address_list bcc;  /* those of Resent-Bcc among them */
    struct address_list more; /* given, and not in the header */
    const struct address_list *given;
};

bool submit_header_find(const char *bytes, size_t length, bool complete,
                        struct submit_extent *extent)
{
    size_t end = header_end(bytes, length, complete);
    size_t offset = 0, start = 0;
    struct header_field field;
    const char *newline = memrchr(bytes, '\n', length);
    /* A line that has not come to its end may become a field yet, but not when it is longer than
     * all headers. */
    size_t whole = newline != NULL ? (size_t)(newline - bytes) + 1 : 0;
    if (length > HEADER_SIZE_MAX)
        whole = length;
    while (header_next(bytes, end != 0 ? end : whole, &offset, &field)) {
        if (field.name_length == 0) {
            *extent = (struct submit_extent){.fields = start, .body = start};
            return true;
        }
        start = offset;
    }
    *extent = (struct submit_extent){.fields = start, .body = end};
    return end != 0 || complete;
}

/* --- the first look --- */

static void read_addresses(const struct header_field *field, struct address_list *list)
{
    struct buffer text = {0};
    header_field_unfold(field, &text);
    address_list_parse(list, buffer_string(&text), text.length);
    buffer_release(&text);
}

static bool is_recipients(const struct survey *survey, const struct header_field *field,
                          const char *name)
{
    return resent_is_recipients(&survey->resent, field, name);
}

static bool is_visible(const struct survey *survey, const struct header_field *field)
{
    return is_recipients(survey, field, "To") || is_recipients(survey, field, "Cc");
}

static void look(struct survey *survey)
{
    struct header_field field;
    survey->resent = resent_find(survey->bytes, survey->length);
    for (size_t at = 0; header_next(survey->bytes, survey->length, &at, &field);) {
        bool bcc = is_recipients(survey, &field, "Bcc");
        survey->has_from = survey->has_from || header_field_is(&field, "From");
        if (bcc || is_visible(survey, &field))
            read_addresses(&field, &survey->found);
        if (bcc && survey->resent.found) {
            survey->has_resent_bcc = true;
            read_addresses(&field, &survey->bcc);
        }
    }
    for (size_t i = 0; i < survey->given->count; i++) {
        const char *address = survey->given->addresses[i].address;
        if (!address_list_has(&survey->found, address))
            address_list_add(&survey->more, address, NULL);
    }
    const char *newline = memchr(survey->bytes, '\n', survey->length);
    bool crlf = newline != NULL && newline > survey->bytes && newline[-1] == '\r';
    survey->line_end = crlf ? "\r\n" : "\n";
}

/* --- who gets it --- */

static int refuse_recipients(const struct survey *survey, size_t count,
                             struct submit_problem *problem)
{
    struct buffer named = {0};
    size_t told = 0;
    for (size_t i = 0; i < survey->found.count && told < NAMED_MAX; i++) {
        const char *address = survey->found.addresses[i].address;
        if (address_list_has(survey->given, address))
            continue;
        buffer_append_format(&named, "%s%.100s", told++ > 0 ? ", " : "", address);
    }
    if (count > told)
        buffer_append_format(&named, " and %zu more", count - told);
    submit_problem_set(problem, EX_UNAVAILABLE,
                       "%s: in the header, but not among the recipients given, and Exchange sends "
                       "to all of the header; call it with -t, or set recipients_rewrite = yes",
                       buffer_string(&named));
    buffer_release(&named);
    return EX_UNAVAILABLE;
}

static int decide(struct survey *survey, const struct submit_options *options,
                  const struct submit_policy *policy, struct submit_problem *problem)
{
    size_t not_given = 0;
    if (survey->found.count == 0 && survey->given->count == 0)
        return submit_problem_set(problem, EX_DATAERR,
                                  "no recipients in the header; fill in To, Cc or Bcc");
    for (size_t i = 0; i < survey->found.count && !options->recipients_from_header; i++)
        not_given += !address_list_has(survey->given, survey->found.addresses[i].address);
    if (not_given > 0 && !policy->recipients_rewrite)
        return refuse_recipients(survey, not_given, problem);
    survey->rewrite = not_given > 0;
    return EX_OK;
}

/* --- the new header --- */

/* Appends the list's addresses, each once and on a line of its own, to a field that has begun. With
 * `kept`, only those that stay in the header. Returns how many the field has then. */
static size_t write_list(const struct survey *survey, const struct address_list *list, bool kept,
                         struct address_list *done, struct buffer *written)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct address *one = &list->addresses[i];
        if ((kept && survey->rewrite && !address_list_has(survey->given, one->address)) ||
            address_list_has(done, one->address))
            continue;
        if (done->count > 0)
            buffer_append_format(written, ",%s ", survey->line_end);
        submit_address_write(written, one->address, one->name);
        address_list_add(done, one->address, NULL);
    }
    return done->count;
}

/* Ends a recipients field that began at `before`. Without anybody in it, it goes, or stays as it is
 * `needed`: one that a block of resent fields has lost would let an older block be read with it.
 * Returns whether there is a field. */
static bool end_recipients(const struct survey *survey, bool needed, bool any, size_t before,
                           struct buffer *written)
{
    if (!needed) {
        written->length = before;
        return false;
    }
    if (!any)
        buffer_append_string(written, nobody);
    buffer_append_string(written, survey->line_end);
    return true;
}

/* Writes the new Bcc field, if there is anybody for it. When the message is resent, it has those of
 * the block's Resent-Bcc, too, and takes its place. */
static void write_bcc(const struct survey *survey, struct buffer *written)
{
    struct address_list done = {0};
    size_t before = written->length;
    buffer_append_string(written, survey->resent.found ? "Resent-Bcc: " : "Bcc: ");
    write_list(survey, &survey->bcc, true, &done, written);
    bool any = write_list(survey, &survey->more, false, &done, written) > 0;
    address_list_release(&done);
    end_recipients(survey, any || survey->has_resent_bcc, any, before, written);
}

/* Writes a recipients field with those that stay in it. Returns whether there is a field. */
static bool rewrite_field(const struct survey *survey, const struct header_field *field,
                          struct buffer *written)
{
    struct address_list list = {0}, done = {0};
    size_t before = written->length;
    read_addresses(field, &list);
    buffer_append(written, field->start, field->name_length);
    buffer_append_string(written, ": ");
    bool any = write_list(survey, &list, true, &done, written) > 0;
    address_list_release(&list);
    address_list_release(&done);
    return end_recipients(survey, any || survey->resent.found, any, before, written);
}

/* Whether a field goes: the null sender's sign when -f says who it is, and the block's Resent-Bcc
 * when there is a new one. */
static bool is_dropped(const struct survey *survey, const struct submit_options *options,
                       const struct header_field *field)
{
    bool new_bcc = survey->rewrite || survey->more.count > 0;
    return (options->sender != NULL && header_field_is(field, "Return-Path")) ||
           (survey->resent.found && new_bcc && is_recipients(survey, field, "Bcc"));
}

static void end_line(const struct survey *survey, struct buffer *written)
{
    if (written->length > 0 && written->data[written->length - 1] != '\n')
        buffer_append_string(written, survey->line_end);
}

/* Appends the fields that stay, and behind the block the new Resent-Bcc. Returns whether there is a
 * field that shows recipients. */
static bool write_fields(const struct survey *survey, const struct submit_options *options,
                         struct buffer *written)
{
    bool visible = false, new_bcc = survey->rewrite || survey->more.count > 0;
    struct header_field field;
    for (size_t at = 0; header_next(survey->bytes, survey->length, &at, &field);) {
        bool shows = is_visible(survey, &field), there = !is_dropped(survey, options, &field);
        if (there && survey->rewrite && (shows || is_recipients(survey, &field, "Bcc")))
            there = rewrite_field(survey, &field, written);
        else if (there)
            buffer_append(written, field.start, field.length);
        visible = visible || (shows && there);
        if (new_bcc && survey->resent.found && at == survey->resent.end) {
            end_line(survey, written);
            write_bcc(survey, written);
        }
    }
    end_line(survey, written);
    return visible;
}

static int write_header(const struct survey *survey, const struct submit_options *options,
                        struct buffer *written, struct submit_problem *problem)
{
    if (options->sender != NULL && options->sender[0] == '\0')
        buffer_append_format(written, "Return-Path: <>%s", survey->line_end);
    if (!survey->has_from) {
        buffer_append_string(written, "From: ");
        if (submit_sender_write(options, written, problem) != EX_OK)
            return problem->status;
        buffer_append_string(written, survey->line_end);
    }
    bool visible = write_fields(survey, options, written);
    if (!survey->resent.found && !visible)
        buffer_append_format(written, "To: %s%s", nobody, survey->line_end);
    if (!survey->resent.found)
        write_bcc(survey, written);
    buffer_append_string(written, survey->line_end);
    if (written->length > HEADER_SIZE_MAX)
        return submit_problem_set(problem, EX_DATAERR,
                                  "with its recipients the header is longer than %d KB; send to "
                                  "fewer at a time",
                                  HEADER_SIZE_MAX / 1024);
    return EX_OK;
}

int submit_header_write(const char *bytes, size_t length, const struct submit_options *options,
                        const struct address_list *given, const struct submit_policy *policy,
                        struct buffer *written, struct submit_problem *problem)
{
    struct survey survey = {.bytes = bytes, .length = length, .given = given};
    look(&survey);
    int status = decide(&survey, options, policy, problem);
    if (status == EX_OK)
        status = write_header(&survey, options, written, problem);
    address_list_release(&survey.found);
    address_list_release(&survey.bcc);
    address_list_release(&survey.more);
    return status;
}
