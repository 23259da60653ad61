/* The titles of sections: [exsyncd], [profile NAME], [smtp], [mailbox-defaults], [mailbox ADDRESS].
 */
#ifndef EXSYNC_CONFIG_TITLE_H
#define EXSYNC_CONFIG_TITLE_H

#include "config/config_read.h"

struct config_title {
    enum config_section_kind kind;
    char *title;   /* "profile contoso" */
    char *keyword; /* "profile" */
    char *name;    /* "contoso"; empty when there is none; addresses in lower case */
};

/* Reads a line that begins with [. False, with the mistake reported, when it is no title. */
bool config_title_read(struct config_document *document, struct config_place place, char *line,
                       struct config_title *title);

#endif
