#include "config/config_title.h"

#include "base/buffer.h"
#include "config/config_suggest.h"
#include "config/config_value.h"

#include <ctype.h>
#include <string.h>

/* Splits "[profile contoso] ; comment" into title and name; false when it is not well-formed. */
static bool split(struct config_document *document, struct config_place place, char *line,
                  struct config_title *title)
{
    char *end = strchr(line, ']');
    if (end == NULL) {
        config_report_error(document->report, place, NULL, NULL,
                            "the title of a section has no ]; write %s]", line);
        return false;
    }
    *end = '\0';
    const char *behind = end + 1 + strspn(end + 1, " ");
    if (*behind != '\0' && *behind != ';' && *behind != '#') {
        config_report_error(document->report, place, line + 1, NULL,
                            "something stands behind the ]; write keys in lines of their own");
        return false;
    }
    char *start = line + 1 + strspn(line + 1, " ");
    while (end > start && end[-1] == ' ')
        *--end = '\0';
    title->title = config_arena_copy(document->scratch, start, (size_t)(end - start));
    title->keyword = config_arena_copy(document->scratch, start, strcspn(start, " "));
    start += strcspn(start, " ");
    start += strspn(start, " ");
    title->name = config_arena_copy(document->scratch, start, (size_t)(end - start));
    return true;
}

static void report_unknown(struct config_document *document, struct config_place place,
                           const struct config_title *title)
{
    static const char known[] =
        "[exsyncd], [profile NAME], [smtp], [mailbox-defaults] and [mailbox ADDRESS]";
    struct config_report *report = document->report;
    struct config_suggestion suggestion = config_suggestion_start(title->keyword);
    for (size_t i = 0; i < CONFIG_SECTION_COUNT; i++)
        config_suggestion_consider(&suggestion, config_sections[i].keyword);
    if (title->name[0] == '\0' && strchr(title->keyword, '@') != NULL)
        config_report_error(report, place, title->title, NULL,
                            "is no section; did you mean [mailbox %s]? The sections are %s",
                            title->keyword, known);
    else if (suggestion.best != NULL)
        config_report_error(report, place, title->title, NULL,
                            "is no section; did you mean [%s%s%s]? The sections are %s",
                            suggestion.best, title->name[0] == '\0' ? "" : " ", title->name, known);
    else
        config_report_error(report, place, title->title, NULL, "is no section; the sections are %s",
                            known);
}

static bool check_name(struct config_document *document, struct config_place place,
                       const struct config_title *title)
{
    const struct config_section_description *description = &config_sections[title->kind];
    struct config_report *report = document->report;
    if (description->name == NULL && title->name[0] != '\0') {
        config_report_error(report, place, title->title, NULL, "takes no name; write [%s]",
                            description->keyword);
        return false;
    }
    if (description->name != NULL && title->name[0] == '\0') {
        config_report_error(report, place, title->title, NULL, "has no name; write [%s]",
                            description->example);
        return false;
    }
    if (strchr(title->name, '"') != NULL) {
        config_report_error(report, place, title->title, NULL,
                            "has quotes in its name; write it without");
        return false;
    }
    struct buffer wrong = {0};
    bool good = title->kind != CONFIG_SECTION_MAILBOX || config_read_address(title->name, &wrong);
    if (!good)
        config_report_error(report, place, title->title, NULL, "%s", buffer_string(&wrong));
    buffer_release(&wrong);
    return good;
}

bool config_title_read(struct config_document *document, struct config_place place, char *line,
                       struct config_title *title)
{
    if (!split(document, place, line, title))
        return false;
    for (size_t i = 0; i < CONFIG_SECTION_COUNT; i++) {
        if (strcmp(config_sections[i].keyword, title->keyword) == 0) {
            title->kind = (enum config_section_kind)i;
            return check_name(document, place, title);
        }
    }
    report_unknown(document, place, title);
    return false;
}
