/* Local stream sockets on the loop.
 *
 *   listener  a socket in the file system (mode and group are the caller's) that takes connections
 *   socket    one connection: pieces come in, bytes go out and are kept until the peer reads them
 *   peer      who is at the other end, as the kernel knows it
 *
 * All functions are called on the loop's thread. The process must ignore SIGPIPE: a peer that has
 * gone is told by `ended`. Sources: unix(7), SO_PEERCRED and SO_PEERGROUPS.
 */
#ifndef EXSYNC_BASE_EXECUTOR_SOCKET_H
#define EXSYNC_BASE_EXECUTOR_SOCKET_H

#include "base/executor.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { EXECUTOR_SOCKET_PIECE = 16 << 10 }; /* bytes that come at a time, at most */

struct executor_listener;
struct executor_socket;

/* --- listening --- */

/* Makes the socket and listens; blocks, before the loop runs. The file is 0600, or 0660 and of the
 * group when `group` is not -1. A file that a listener of the past has left is replaced; EADDRINUSE
 * when somebody listens behind it, EEXIST when it is no socket, ENAMETOOLONG when the path does not
 * fit into a socket's address. `connected` gets each connection, which belongs to it from then on.
 * NULL with an errno in `*error`. */
struct executor_listener *executor_listen(struct executor *executor, const char *path, gid_t group,
                                          void (*connected)(void *argument,
                                                            struct executor_socket *socket),
                                          void *argument, int *error);

/* Takes the file away, if it is still this listener's. Before executor_free. NULL is allowed. */
void executor_listener_close(struct executor_listener *listener);

/* --- who it is --- */

/* Whether the peer's process is of the user. */
bool executor_socket_is_user(const struct executor_socket *socket, uid_t user);

uid_t executor_socket_user(const struct executor_socket *socket);

/* Whether it has the group, as its own or as one of the others it was given at its login. No name
 * service is asked. */
bool executor_socket_has_group(const struct executor_socket *socket, gid_t group);

/* --- bytes --- */

struct executor_socket_events {
    /* A piece has come. */
    void (*received)(void *argument, const char *bytes, size_t length);
    /* Nothing more will come. `gone`: nobody reads either; false when the peer has closed its
     * writing side alone. Comes a second time, with `gone`, when what is sent fails later. */
    void (*ended)(void *argument, bool gone);
    /* Some of what was to be sent has gone out. */
    void (*sent)(void *argument);
};

/* Begins to read. The callbacks come from the loop, until the socket is closed. */
void executor_socket_begin(struct executor_socket *socket,
                           const struct executor_socket_events *events, void *argument);

/* Takes pieces, or leaves them with the kernel for now: the peer waits then. */
void executor_socket_read(struct executor_socket *socket, bool on);

/* Sends the bytes (copied) when the turn of the loop is over, with all others of the turn. */
void executor_socket_write(struct executor_socket *socket, const char *bytes, size_t length);

/* Whether the peer has closed altogether; for those who do not read for a while. */
bool executor_socket_is_gone(const struct executor_socket *socket);

/* Bytes that have not gone out yet. */
size_t executor_socket_waiting(const struct executor_socket *socket);

/* Sends what can go out without waiting, and closes. Also from within a callback. */
void executor_socket_close(struct executor_socket *socket);

#endif
