#include "config/config_password.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_PASSWORD = 512 };

/* Reads all there is, but not more than `size` bytes. */
static ssize_t read_all(int file, char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(file, bytes + used, size - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        used += (size_t)count;
    }
    return (ssize_t)used;
}

static struct secret *read_password(int file, struct buffer *wrong)
{
    /* Room for a line end, and for one byte that shows that there is too much. */
    char bytes[LONGEST_PASSWORD + 3];
    struct secret *password = NULL;
    ssize_t count = read_all(file, bytes, sizeof bytes);
    size_t length = count < 0 ? 0 : (size_t)count;
    if (count < 0) {
        buffer_append_format(wrong, "cannot be read: %s; check the file", strerror(errno));
        goto out;
    }
    if (length > 0 && bytes[length - 1] == '\n')
        length--;
    if (length > 0 && length < (size_t)count && bytes[length - 1] == '\r')
        length--;
    if (length == 0)
        buffer_append_string(wrong, "is empty; write the password into the file");
    else if (length > LONGEST_PASSWORD)
        buffer_append_format(wrong,
                             "holds more than %d bytes; write the password and nothing else "
                             "into the file",
                             LONGEST_PASSWORD);
    else if (memchr(bytes, '\0', length) != NULL)
        buffer_append_string(wrong, "holds a zero byte; write the password as plain text in UTF-8 "
                                    "into the file");
    else if (memchr(bytes, '\n', length) != NULL)
        buffer_append_string(wrong, "holds more than one line; write the password and nothing else "
                                    "into the file");
    else
        password = secret_create(bytes, length);
out:
    secret_wipe(bytes, sizeof bytes);
    return password;
}

/* Appends "user exsyncd". */
static void append_user(struct buffer *text, uid_t user)
{
    char memory[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(user, &entry, memory, sizeof memory, &found) == 0 && found != NULL)
        buffer_append_format(text, "user %s", found->pw_name);
    else
        buffer_append_format(text, "user %u", (unsigned)user);
}

/* Whether the group is a user's own: it has that user's name and nobody else in it. (Another user
 * whose first group it is would be a strange thing to set up, and does not show.) */
static bool is_group_of_one(gid_t number)
{
    char group_memory[4096], user_memory[4096];
    struct group group, *found_group = NULL;
    struct passwd user, *found_user = NULL;
    if (number == 0 ||
        getgrgid_r(number, &group, group_memory, sizeof group_memory, &found_group) != 0 ||
        found_group == NULL ||
        getpwnam_r(group.gr_name, &user, user_memory, sizeof user_memory, &found_user) != 0 ||
        found_user == NULL || user.pw_gid != number)
        return false;
    for (char **member = group.gr_mem; *member != NULL; member++) {
        if (strcmp(*member, user.pw_name) != 0)
            return false;
    }
    return true;
}

/* Whose file it is need not be asked when its owner alone may open it. One of root's that a group
 * may read is read by one user more: the daemon's, when it may not change its own configuration. */
static bool others_may_open(const struct stat *status)
{
    if ((status->st_mode & 077) == 0)
        return false;
    return (status->st_mode & 037) != 0 || status->st_uid != 0 || !is_group_of_one(status->st_gid);
}

static bool check_file(int file, const char *path, struct buffer *wrong)
{
    struct stat status;
    if (fstat(file, &status) != 0) {
        buffer_append_format(wrong, "cannot be read: %s; check the file", strerror(errno));
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        buffer_append_string(wrong, "is no regular file; write the password into one");
        return false;
    }
    if (others_may_open(&status)) {
        buffer_append_format(wrong,
                             "can be read or changed by others (mode %04o); chmod 600 %s, "
                             "and change the password if somebody could have seen it",
                             (unsigned)status.st_mode & 07777U, path);
        return false;
    }
    return true;
}

/* A pipe must not be waited for, and a terminal not taken. */
static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

struct secret *config_password_from_file(const char *path, struct buffer *wrong)
{
    int file = open_file(path);
    int error = errno;
    if (file < 0) {
        /* The path is not repeated: a password may stand in its place. */
        buffer_append_format(wrong, "cannot be read: %s; ", strerror(error));
        if (error == ENOENT) {
            buffer_append_string(
                wrong, "write the password into that file, for exsyncd alone to read (chown "
                       "root:exsyncd and chmod 640)");
        } else {
            buffer_append_string(wrong, "give it to the one that runs exsyncd (");
            append_user(wrong, geteuid());
            buffer_append_string(wrong, ") and chmod 600 it");
        }
        return NULL;
    }
    struct secret *password = NULL;
    if (check_file(file, path, wrong))
        password = read_password(file, wrong);
    close(file);
    return password;
}

/* The file's mode is not looked at: systemd gives the service its right by an access list, which
 * shows as group bits, and nobody else gets into the folder. */
struct secret *config_password_from_credential(const char *name, struct buffer *wrong)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == NULL || folder[0] == '\0') {
        buffer_append_string(wrong, "cannot be read: $CREDENTIALS_DIRECTORY is not set, so systemd "
                                    "gave no credentials; put LoadCredential=NAME:FILE into a "
                                    "drop-in of exsyncd.service, or, to check by hand, set "
                                    "CREDENTIALS_DIRECTORY to a folder that holds the file");
        return NULL;
    }
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s", folder, name);
    int file = open_file(path.data);
    int error = errno;
    buffer_release(&path);
    if (file < 0) {
        buffer_append_format(wrong, "cannot be read from $CREDENTIALS_DIRECTORY: %s; ",
                             strerror(error));
        if (error == EACCES) {
            buffer_append_string(wrong, "let ");
            append_user(wrong, geteuid());
            buffer_append_string(wrong, " read the folder and the file");
        } else {
            buffer_append_string(wrong, "put LoadCredential=NAME:FILE into a drop-in of "
                                        "exsyncd.service");
        }
        return NULL;
    }
    struct secret *password = read_password(file, wrong);
    close(file);
    return password;
}
