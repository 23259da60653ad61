/* The system calls that change a file system, between the program and the kernel: counted, refused,
 * held up, or the last thing that the process does. To be included first, in one file of a test. */
#ifndef EXSYNC_TESTS_MAIL_FAULTS_H
#define EXSYNC_TESTS_MAIL_FAULTS_H

#undef _FORTIFY_SOURCE /* it would put functions of its own in the place of these */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
    CALL_OPENAT, /* with O_CREAT */
    CALL_MKDIRAT,
    CALL_WRITE, /* to a file */
    CALL_FSYNC,
    CALL_RENAMEAT,
    CALL_UNLINKAT,
    CALL_FCHMOD,
    CALL_FCHOWN,
    CALL_FLOCK,
    CALLS,
};

enum { FAULT_NONE = 0, FAULT_SHORT = -1 /* only half of a write is done */ };

/* Called before each call, on the thread that makes it: FAULT_NONE, FAULT_SHORT or the errno that
 * the call fails with. `fd` is the file or the folder that `name` is in. */
static int (*_Atomic fault_hook)(enum call call, int fd, const char *name);
static atomic_int fault_counts[CALLS];

static inline int fault_before(enum call call, int fd, const char *name)
{
    atomic_fetch_add(&fault_counts[call], 1);
    int (*hook)(enum call, int, const char *) = atomic_load(&fault_hook);
    return hook != NULL ? hook(call, fd, name) : FAULT_NONE;
}

static inline void fault_clear(void)
{
    atomic_store(&fault_hook, NULL);
    for (int i = 0; i < CALLS; i++)
        atomic_store(&fault_counts[i], 0);
}

static inline int fault_refuse(int error)
{
    errno = error;
    return -1;
}

/* The path of an open file or folder. */
static inline void fault_path(int fd, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = '\0';
}

int openat(int fd, const char *name, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
        int fault = fault_before(CALL_OPENAT, fd, name);
        if (fault > 0)
            return fault_refuse(fault);
    }
    return (int)syscall(SYS_openat, fd, name, flags, mode);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    int fault = fault_before(CALL_MKDIRAT, fd, name);
    return fault > 0 ? fault_refuse(fault) : (int)syscall(SYS_mkdirat, fd, name, mode);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        int fault = fault_before(CALL_WRITE, fd, NULL);
        if (fault > 0)
            return fault_refuse(fault);
        if (fault == FAULT_SHORT)
            length = (length + 1) / 2;
    }
    return syscall(SYS_write, fd, bytes, length);
}

int fsync(int fd)
{
    int fault = fault_before(CALL_FSYNC, fd, NULL);
    return fault > 0 ? fault_refuse(fault) : (int)syscall(SYS_fsync, fd);
}

int renameat(int from, const char *name, int to, const char *new_name)
{
    int fault = fault_before(CALL_RENAMEAT, from, name);
    return fault > 0 ? fault_refuse(fault)
                     : (int)syscall(SYS_renameat2, from, name, to, new_name, 0);
}

int unlinkat(int fd, const char *name, int flags)
{
    int fault = fault_before(CALL_UNLINKAT, fd, name);
    return fault > 0 ? fault_refuse(fault) : (int)syscall(SYS_unlinkat, fd, name, flags);
}

int fchmod(int fd, mode_t mode)
{
    int fault = fault_before(CALL_FCHMOD, fd, NULL);
    return fault > 0 ? fault_refuse(fault) : (int)syscall(SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t owner, gid_t group)
{
    int fault = fault_before(CALL_FCHOWN, fd, NULL);
    return fault > 0 ? fault_refuse(fault) : (int)syscall(SYS_fchown, fd, owner, group);
}

int flock(int fd, int operation)
{
    int fault = fault_before(CALL_FLOCK, fd, NULL);
    return fault > 0 ? fault_refuse(fault) : (int)syscall(SYS_flock, fd, operation);
}

#endif
