/* Testing a profile's server from outside: its name, the connection, its certificate, and whether
 * it offers the way of signing in that the profile uses. No sign-in is spent. */
#ifndef EXSYNC_DAEMON_SERVER_TEST_H
#define EXSYNC_DAEMON_SERVER_TEST_H

#include "daemon/context.h"
#include "daemon/profile.h"
#include "daemon/test_step.h"
#include "http/http_examine.h"

#include <stddef.h>

enum { SERVER_TEST_STEPS = TEST_HTTP + 1 };

struct server_test;

/* The steps that were made: all passed, or the last one failed. Valid during the call. */
typedef void server_tested(void *argument, const struct test_step *steps, size_t count);

/* Exactly one `done`, from the loop, never from within the start. The profile is used until then.
 */
struct server_test *server_test_start(struct profile *profile, server_tested *done, void *argument);
void server_test_cancel(struct server_test *test);

/* What an examination says of the server of a profile that is configured so; `now_ms`: wall time.
 * Returns how many steps. */
size_t server_test_judge(const struct http_examination *examination,
                         const struct config_profile *config, int64_t now_ms,
                         struct test_step steps[SERVER_TEST_STEPS]);

#endif
