/* Any bytes as a configuration file: no crash, no endless wait, and a report of whole, clean lines
 * that holds a mistake exactly when there is no configuration. */
#define _GNU_SOURCE /* memfd_create */
#include "base/memory.h"
#include "config/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "must hold: %s\n", what);
    abort();
}

static size_t count_mistakes(const char *report, const char *path)
{
    size_t mistakes = 0;
    while (*report != '\0') {
        size_t length = strcspn(report, "\n");
        require(report[length] == '\n', "a report ends with its last line");
        require(strncmp(report, path, strlen(path)) == 0, "a line begins with its file");
        for (size_t i = 0; i < length; i++)
            require((unsigned char)report[i] >= 0x20 && report[i] != 0x7f,
                    "a line has no control characters");
        const char *subject = strstr(report, ": ");
        require(subject != NULL, "a line has a place");
        mistakes += strncmp(subject, ": warning: ", 11) != 0;
        report += length + 1;
    }
    return mistakes;
}

static void use(const struct config *config)
{
    for (size_t i = 0; i < config->mailbox_count; i++) {
        const struct config_mailbox *mailbox = &config->mailboxes[i];
        require(config_find_mailbox(config, mailbox->address) == mailbox, "a mailbox is found");
        require(mailbox->settings->profile != NULL, "a mailbox has a profile");
        require(mailbox->settings->folders[0] != NULL, "a mailbox has a folder");
        char *path = config_maildir_path(mailbox);
        char *root = config_maildir_root(mailbox->settings);
        require(path[0] == '/', "a path is absolute");
        require(strstr(path, "/../") == NULL, "a path has no way up");
        require(strncmp(path, root, strlen(root)) == 0, "a path lies below its root");
        memory_free(path);
        memory_free(root);
    }
    for (size_t i = 0; i < config->profile_count; i++) {
        const struct config_profile *profile = &config->profiles[i];
        require(config_find_profile(config, profile->name) == profile, "a profile is found");
        require(profile->url != NULL, "a profile has a URL");
        require(profile->retry_min_ms <= profile->retry_max_ms, "waits are in order");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    struct buffer report = {0};
    int file = memfd_create("exsyncd.conf", MFD_CLOEXEC);
    require(file >= 0 && write(file, bytes, length) == (ssize_t)length, "a file can be written");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    struct config *config = config_load(path, &report);
    size_t mistakes = count_mistakes(buffer_string(&report), path);
    require((config == NULL) == (mistakes > 0), "there is a mistake or a configuration");
    if (config != NULL)
        use(config);
    config_free(config);
    buffer_release(&report);
    close(file);
    return 0;
}
