#include "mail/address.h"

#include "base/memory.h"
#include "base/text.h"
#include "mail/header.h"

#include <string.h>

/* What is left of the field. */
struct input {
    const char *at;
    const char *end;
    bool quote_open; /* a quote that is not closed was met: later ones are plain characters */
    bool comment_open;
    bool literal_open;
};

/* One part of the list as it is read, up to its comma. */
struct part {
    bool any;             /* there is something in it */
    bool has_angle;       /* <...> was met */
    struct buffer name;   /* the words before the <, without their quotes */
    struct buffer spec;   /* the same as an address */
    struct buffer angle;  /* the address within <> */
    struct buffer remark; /* the last comment: the name in "anna@contoso.com (Anna)" */
};

static bool is_white(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* --- tokens --- */

/* The end of a quoted string that begins at `at`; NULL when there is none. */
static const char *quote_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\')
            at++;
    }
    return at < end ? at + 1 : NULL;
}

static const char *comment_end(const char *at, const char *end)
{
    size_t depth = 0;
    for (; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at + 1;
    }
    return NULL;
}

/* Appends what stands between `from` and `to` without its backslashes. */
static void append_unescaped(struct buffer *text, const char *from, const char *to)
{
    for (; from < to; from++) {
        if (*from == '\\' && from + 1 < to)
            from++;
        buffer_append_char(text, *from);
    }
}

static bool is_atom_character(char character)
{
    return (unsigned char)character > ' ' && character != 0x7f &&
           strchr("()<>[]:;@\\,\"", character) == NULL;
}

/* Appends the local part that `from` to `to` quote, with quotes only when it needs them. */
static void append_quoted(struct buffer *spec, const char *from, const char *to)
{
    struct buffer plain = {0};
    append_unescaped(&plain, from, to);
    bool atom = plain.length > 0 && plain.data[0] != '.' && plain.data[plain.length - 1] != '.';
    for (size_t i = 0; i < plain.length; i++)
        atom = atom && is_atom_character(plain.data[i]);
    if (!atom)
        buffer_append_char(spec, '"');
    for (size_t i = 0; i < plain.length; i++) {
        if (plain.data[i] == '"' || plain.data[i] == '\\')
            buffer_append_char(spec, '\\');
        buffer_append_char(spec, plain.data[i]);
    }
    if (!atom)
        buffer_append_char(spec, '"');
    buffer_release(&plain);
}

/* White space is allowed around the dots and the @ of an address, in the obsolete form; elsewhere
 * it stays and makes the address a wrong one. */
static void append_word_space(struct buffer *spec, char next)
{
    char last = spec->length > 0 ? spec->data[spec->length - 1] : '@';
    if (last != ' ' && last != '.' && last != '@' && next != '.' && next != '@')
        buffer_append_char(spec, ' ');
}

/* Moves behind a comment, and copies it to `remark` (NULL: nobody wants it). */
static bool take_comment(struct input *input, struct buffer *remark)
{
    const char *end = input->comment_open ? NULL : comment_end(input->at, input->end);
    if (end == NULL) {
        input->comment_open = true;
        return false;
    }
    if (remark != NULL) {
        buffer_clear(remark);
        append_unescaped(remark, input->at + 1, end - 1);
    }
    input->at = end;
    return true;
}

/* Moves behind a quoted string, which is both part of a name and of an address. */
static bool take_quote(struct input *input, struct buffer *name, struct buffer *spec)
{
    const char *end = input->quote_open ? NULL : quote_end(input->at, input->end);
    if (end == NULL) {
        input->quote_open = true;
        return false;
    }
    if (name != NULL)
        append_unescaped(name, input->at + 1, end - 1);
    append_quoted(spec, input->at + 1, end - 1);
    input->at = end;
    return true;
}

/* Moves behind the [...] of a domain literal ("user@[IPv6:::1]"), whose colons are no group's. */
static bool take_literal(struct input *input, struct buffer *spec)
{
    if (spec->length == 0 || spec->data[spec->length - 1] != '@' || input->literal_open)
        return false;
    const char *close = memchr(input->at, ']', (size_t)(input->end - input->at));
    if (close == NULL) {
        input->literal_open = true;
        return false;
    }
    buffer_append(spec, input->at, (size_t)(close + 1 - input->at));
    input->at = close + 1;
    return true;
}

/* --- what stands in <> --- */

/* Where the address that begins behind a < ends: at its >, or, when that is missing, at the next
 * comma. */
static const char *angle_end(struct input *input)
{
    const char *comma = NULL;
    const char *at = input->at;
    while (at < input->end && *at != '>' && *at != '<') {
        const char *quoted = *at == '"' && !input->quote_open ? quote_end(at, input->end) : NULL;
        if (*at == '"' && quoted == NULL) /* not looked for again at each < */
            input->quote_open = true;
        if (comma == NULL && (*at == ',' || *at == ';'))
            comma = at;
        at = quoted != NULL ? quoted : at + 1;
    }
    return (at < input->end && *at == '>') || comma == NULL ? at : comma;
}

/* `input` stands behind the <. */
static void take_angle(struct input *input, struct buffer *spec)
{
    struct input inside = {.at = input->at, .end = angle_end(input)};
    bool space = false;
    while (inside.at < inside.end) {
        char character = *inside.at;
        if (character == '(' && take_comment(&inside, NULL))
            continue;
        if (!is_white(character) && space)
            append_word_space(spec, character);
        space = is_white(character);
        if (character == '"' && take_quote(&inside, NULL, spec))
            continue;
        if (character == '[' && take_literal(&inside, spec))
            continue;
        if (character == ':') /* what stood before it was a route */
            buffer_clear(spec);
        else if (!space)
            buffer_append_char(spec, character);
        inside.at++;
    }
    input->at = inside.end;
    if (input->at < input->end && *input->at == '>')
        input->at++;
}

/* --- parts --- */

static void part_release(struct part *part)
{
    buffer_release(&part->name);
    buffer_release(&part->spec);
    buffer_release(&part->angle);
    buffer_release(&part->remark);
}

static void part_clear(struct part *part)
{
    part->any = false;
    part->has_angle = false;
    buffer_clear(&part->name);
    buffer_clear(&part->spec);
    buffer_clear(&part->angle);
    buffer_clear(&part->remark);
}

/* Where the @ is that divides local part and domain: NULL when there is none. */
static char *spec_at(char *spec)
{
    char *end = spec + strlen(spec);
    for (char *at = spec; at < end; at++) {
        if (*at == '"') {
            const char *close = quote_end(at, end);
            if (close == NULL)
                return NULL;
            at += close - at - 1;
        } else if (*at == '@') {
            return at;
        }
    }
    return NULL;
}

static bool local_is_right(const char *local, size_t length)
{
    bool right = length > 0;
    for (const char *at = local; right && at < local + length; at++) {
        const char *close = *at == '"' ? quote_end(at, local + length) : NULL;
        if (close != NULL)
            at = close - 1;
        else
            right = is_atom_character(*at);
    }
    return right;
}

static bool domain_is_right(const char *domain)
{
    size_t length = strlen(domain);
    bool literal = length > 2 && domain[0] == '[' && domain[length - 1] == ']';
    bool right = length > 0 && domain[0] != '.';
    for (size_t i = literal ? 1 : 0; right && i < length - (literal ? 1 : 0); i++)
        right = is_atom_character(domain[i]) || (literal && domain[i] == ':');
    return right;
}

/* Makes the domain lower case. False when this is no address. */
static bool spec_finish(struct buffer *spec)
{
    if (spec->length == 0 || strlen(spec->data) != spec->length)
        return false;
    /* What is not UTF-8 in one line cannot be told to anyone. */
    char *line = memory_allocate(spec->length + 1);
    text_copy_line(line, spec->length + 1, spec->data, spec->length);
    bool right = strcmp(line, spec->data) == 0;
    memory_free(line);
    char *at = spec_at(spec->data);
    size_t local = at != NULL ? (size_t)(at - spec->data) : spec->length;
    right = right && local_is_right(spec->data, local) && (at == NULL || domain_is_right(at + 1));
    for (; right && at != NULL && *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    return right;
}

static void part_end(struct part *part, struct address_list *list)
{
    struct buffer *spec = part->has_angle ? &part->angle : &part->spec;
    struct buffer *called = part->has_angle && part->name.length > 0 ? &part->name : &part->remark;
    struct buffer name = {0};
    if (list->count < ADDRESS_LIST_MAX && spec_finish(spec)) {
        header_text(buffer_string(called), called->length, &name);
        address_list_add(list, spec->data, name.length > 0 ? name.data : NULL);
    } else if (part->any) {
        list->invalid++;
    }
    buffer_release(&name);
    part_clear(part);
}

/* Moves behind an encoded word, in which programs leave commas and colons as they are. */
static bool take_encoded_word(struct input *input, struct buffer *name, struct buffer *spec)
{
    enum { LENGTH_MAX = 256 };
    unsigned marks = 0;
    const char *at = input->at;
    const char *end = input->end - at < LENGTH_MAX ? input->end : at + LENGTH_MAX;
    for (at++; at < end && !is_white(*at) && *at != '"' && *at != '<'; at++) {
        if (*at == '?')
            marks++;
        if (marks < 4 || *at != '=' || at[-1] != '?')
            continue;
        at++;
        buffer_append(name, input->at, (size_t)(at - input->at));
        buffer_append(spec, input->at, (size_t)(at - input->at));
        input->at = at;
        return true;
    }
    return false;
}

/* A character, or what it begins, of a name or of an address without <>. */
static void part_take(struct part *part, struct input *input, bool space)
{
    char character = *input->at;
    if (space && part->name.length > 0)
        buffer_append_char(&part->name, ' ');
    if (space)
        append_word_space(&part->spec, character);
    if (character == '"' && take_quote(input, &part->name, &part->spec))
        return;
    if (character == '[' && take_literal(input, &part->spec))
        return;
    if (character == '=' && take_encoded_word(input, &part->name, &part->spec))
        return;
    /* A quote that is not closed is none. */
    if (character != '"') {
        buffer_append_char(&part->name, character);
        buffer_append_char(&part->spec, character);
    }
    input->at++;
}

void address_list_parse(struct address_list *list, const char *text, size_t length)
{
    struct input input = {.at = text, .end = text + length};
    struct part part = {0};
    bool space = false;
    while (input.at < input.end) {
        char character = *input.at;
        if (is_white(character)) {
            space = true;
            input.at++;
            continue;
        }
        if (character == ',' || character == ';') {
            part_end(&part, list);
            input.at++;
        } else if (character == ':' && !part.has_angle) {
            part_clear(&part); /* the name of a group */
            input.at++;
        } else if (character == '(' && take_comment(&input, &part.remark)) {
            continue;
        } else if (character == '<') {
            if (part.has_angle) /* a comma is missing */
                part_end(&part, list);
            input.at++;
            take_angle(&input, &part.angle);
            part.has_angle = part.any = true;
        } else {
            part.any = true;
            part_take(&part, &input, space);
        }
        space = false;
    }
    part_end(&part, list);
    part_release(&part);
}
