/* kill -9 before every system call that changes the disk, and in the middle of every write. To be
 * included first, in one file of a test. */
#ifndef EXSYNC_TESTS_MAIL_CRASH_H
#define EXSYNC_TESTS_MAIL_CRASH_H

#include "mail_faults.h"

#include "mail_world.h"

#include <sys/wait.h>

enum { CRASH_POINTS_MAX = 1000 };

/* --- the moment of death --- */

static atomic_int crash_points_left; /* until the process is killed; never when it begins at 0 */

static inline void crash_reach_point(void)
{
    if (atomic_fetch_sub(&crash_points_left, 1) == 1)
        kill(getpid(), SIGKILL);
}

static int crash_reach_call(enum call call, int fd, const char *name)
{
    (void)fd;
    (void)name;
    crash_reach_point();
    if (call != CALL_WRITE)
        return FAULT_NONE;
    /* The second half of the file, or of a buffer, is a write of its own. */
    return atomic_load(&fault_counts[CALL_WRITE]) % 2 == 1 ? FAULT_SHORT : FAULT_NONE;
}

/* Runs `live` in a process that is killed at a point, if it gets there. Returns whether it was. */
static inline bool crash_run(struct world *world, int point, void (*live)(struct world *world))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        atomic_store(&crash_points_left, point);
        fault_clear();
        atomic_store(&fault_hook, crash_reach_call);
        live(world);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

/* --- a ledger: a file of lines, each written at once, as a committed transaction is --- */

static inline void crash_commit(const char *path, const char *lines)
{
    crash_reach_point();
    int fd = (int)syscall(SYS_open, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    size_t length = strlen(lines);
    if (fd < 0 || syscall(SYS_write, fd, lines, length) != (long)length)
        _exit(3);
    close(fd);
    crash_reach_point();
}

/* A kill loses nothing that a disk would have kept, so there is no need to wait for one. */
static inline void crash_use_memory(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
}

#endif
