/* Who the message is from when it does not say so itself: what -f says, else USER@HOST.
 *
 *   USER  the name that the system has for the real user id; the environment has no say
 *   HOST  the first line of /etc/mailname, where Debian keeps the name that mail from this machine
 *         bears; without that file the host name. No name service is asked.
 *
 * And how an address is written into a header field. */
#ifndef EXSYNC_SUBMIT_SENDER_H
#define EXSYNC_SUBMIT_SENDER_H

#include "base/buffer.h"
#include "mail/address.h"
#include "tools/exsync_submit_options.h"
#include "tools/exsync_submit_problem.h"

/* Appends the body of a From field. Returns EX_OK, EX_USAGE when -f is no address, or EX_OSERR when
 * the user has no name. */
int submit_sender_write(const struct submit_options *options, struct buffer *body,
                        struct submit_problem *problem);

/* Appends `NAME <ADDRESS>`, or the address alone when there is no name. A name that is not ASCII
 * becomes encoded words (RFC 2047), one with special characters a quoted string. */
void submit_address_write(struct buffer *body, const char *address, const char *name);

/* Parses an address of the command line, or several with commas between. False when it holds
 * anything else, line ends above all: it is to become part of a header. */
bool submit_address_read(struct address_list *list, const char *argument);

#endif
