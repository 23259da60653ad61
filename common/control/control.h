/* How exsyncctl and the daemon speak: over a Unix stream socket, in lines of JSON.
 *
 *   line      one JSON object in UTF-8 and a newline
 *   greeting  the daemon's first line: its version and that of this protocol
 *   request   a line of the client: a command with its arguments, under an id
 *   answer    a line of the daemon for a request; any number of them
 *   end       the last line for a request, with an error when it failed
 *
 * Greeting:  {"exsyncd": "0.1.0", "control": 1}
 * Request:   {"id": 7, "command": "status", ... arguments as members ...}
 * Answer:    {"id": 7, "kind": "mailbox", ... one result ...}
 * End:       {"id": 7, "end": true}
 *            {"id": 7, "end": true, "error": {"code": "NoSuchMailbox", "message": "...", "exit":
 * 67}}
 *
 * An id is a number that the client chooses, and no other request that is under way may bear it.
 * Several requests may be under way on a connection; their answers come mixed. The message of an
 * error is a sentence for people that says what is wrong and what to do; `exit` is the status that
 * a command ends with (sysexits.h). Answers may gain members and new kinds; clients ignore what
 * they do not know.
 *
 * A client that may not connect, or whose line is no request, gets a line without an id,
 *   {"end": true, "error": {...}},
 * and the connection is closed. A client that closes its writing side only still gets its answers;
 * one that closes altogether gives up what is under way. */
#ifndef EXSYNC_CONTROL_CONTROL_H
#define EXSYNC_CONTROL_CONTROL_H

#define CONTROL_DEFAULT_SOCKET "/run/exsyncd/control.sock"
#define CONTROL_GROUP          "exsync-admin" /* its members may administer; so may root */

enum {
    CONTROL_VERSION = 1,              /* changes when an older side would not understand */
    CONTROL_REQUEST_LIMIT = 64 << 10, /* bytes of a request's line */
    CONTROL_ANSWER_LIMIT = 256 << 10, /* bytes of an answer's line */
    CONTROL_CONNECTIONS = 64,         /* at a time; another one is refused */
    CONTROL_RESERVED = 8,             /* of these, for root and the daemon's own user alone */
    CONTROL_REQUESTS = 16,            /* under way on a connection; more wait to be read */
    CONTROL_WAITING_LIMIT = 1 << 20,  /* bytes that wait for a client that does not read */
    CONTROL_IDLE_MS = 10 * 60 * 1000, /* a connection without a sign of life is closed */
};

#endif
