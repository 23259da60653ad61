/* Calls back later: one thread that waits for what is due. */
#ifndef EXCHANGE_DELAYS_H
#define EXCHANGE_DELAYS_H

struct delays;

typedef void delays_callback(void *context);

struct delays *delays_create(void);

/* Calls `callback` in `ms` milliseconds, from the thread of `delays`. */
void delays_add(struct delays *delays, unsigned ms, delays_callback *callback, void *context);

/* Calls back at once for everything that waits; when it returns, all callbacks have ended. */
void delays_flush(struct delays *delays);

/* Flushes, and ends the thread. */
void delays_free(struct delays *delays);

#endif
