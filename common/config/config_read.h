/* The files as they stand: sections and their keys, each value read by itself.
 *
 * Nothing is said here about what must hold between keys and sections; see config_build.h. All
 * memory is the scratch arena's. */
#ifndef EXSYNC_CONFIG_READ_H
#define EXSYNC_CONFIG_READ_H

#include "config/config_arena.h"
#include "config/config_keys.h"
#include "config/config_report.h"
#include "config/config_value.h"

#include <stdbool.h>
#include <stddef.h>

struct config_entry {
    struct config_entry *next; /* in the order of the files */
    const struct config_key *key;
    struct config_place place;
    bool good; /* the value could be read */
    struct config_value value;
};

struct config_section {
    struct config_section *next; /* of the same kind, in the order of the files */
    const char *title;           /* what stands between the brackets */
    const char *name;            /* behind the keyword; addresses in lower case */
    struct config_place place;
    struct config_entry *first;
    struct config_entry *last;
};

struct config_section_list {
    struct config_section *first;
    struct config_section *last;
    size_t count;
};

struct config_document {
    struct config_arena *scratch;
    struct config_report *report;
    /* [exsyncd], [smtp] and [mailbox-defaults] are one section however often they are opened. */
    struct config_section_list sections[CONFIG_SECTION_COUNT];
};

/* Reads the main file and the *.conf files of conf.d beside it. Mistakes go to the report. */
void config_document_read(struct config_document *document, const char *main_path);

/* The section's entry for a key; NULL when there is none. `section` may be NULL. For a key that may
 * be given several times it is the first; the others follow it with the same key. */
const struct config_entry *config_section_find(const struct config_section *section,
                                               enum config_key_id id);

#endif
