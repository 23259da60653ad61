/* The parsers of one back end that are not in use, to be used again: making one costs as much as a
 * small answer. At most a few are kept; of an answer nothing is left in them. */
#ifndef EXSYNC_EWS_EWS_PARSERS_H
#define EXSYNC_EWS_EWS_PARSERS_H

#include "ews/ews_parser.h"

#include <sys/queue.h>

/* {0} is none. */
struct ews_parsers {
    SLIST_HEAD(ews_parser_list, ews_parser) idle;
    unsigned count;
};

/* One to begin an answer with (ews_parser_begin), the caller's until it gives it back. Never NULL.
 */
struct ews_parser *ews_parsers_take(struct ews_parsers *parsers);

/* Gives it back, wherever its answer stands. NULL is allowed. Not from within its handler. */
void ews_parsers_give(struct ews_parsers *parsers, struct ews_parser *parser);

/* Frees those that are not in use; the struct is {0} again. */
void ews_parsers_free(struct ews_parsers *parsers);

#endif
