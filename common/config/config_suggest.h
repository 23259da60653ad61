/* "Did you mean": the known word that a wrong one was probably meant to be. */
#ifndef EXSYNC_CONFIG_SUGGEST_H
#define EXSYNC_CONFIG_SUGGEST_H

#include <stddef.h>

struct config_suggestion {
    const char *wrong;
    const char *best; /* NULL while nothing considered is near enough */
    size_t distance;  /* of best */
};

struct config_suggestion config_suggestion_start(const char *wrong);

/* `candidate` must stay valid as long as the suggestion is used. */
void config_suggestion_consider(struct config_suggestion *suggestion, const char *candidate);

#endif
