/* Named numbers that tests read. Any thread may add. */
#ifndef EXCHANGE_COUNTERS_H
#define EXCHANGE_COUNTERS_H

#include <stdint.h>

struct counters;

struct counters *counters_create(void);
void counters_free(struct counters *counters);

/* Adds to the counter whose name is `group` and `name` put together. */
void counters_add(struct counters *counters, const char *group, const char *name, uint64_t count);
/* Makes the counter at least `value`. */
void counters_raise(struct counters *counters, const char *group, const char *name, uint64_t value);
/* 0 for a name that was never added to. */
uint64_t counters_get(struct counters *counters, const char *name);
void counters_reset(struct counters *counters);

/* Calls back for every counter, in no order. */
typedef void counters_visitor(const char *name, uint64_t value, void *context);
void counters_visit(struct counters *counters, counters_visitor *visit, void *context);

#endif
