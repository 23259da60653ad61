/* exsyncd: options, and everything that must be right before the service begins. */
#include "base/buffer.h"
#include "base/text.h"
#include "config/config.h"
#include "daemon/check.h"
#include "daemon/check_kerberos.h"
#include "daemon/check_user.h"
#include "daemon/service.h"
#include "daemon/unit_file.h"
#include "http/http.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/exsyncd/exsyncd.conf"

static const char usage[] =
    "Usage: exsyncd [--config FILE] [--check-config] [--version] [--help]\n"
    "\n"
    "Keeps Exchange mailboxes in step with this server.\n"
    "\n"
    "  -c, --config FILE   read FILE, and the *.conf files of the folder conf.d beside it\n"
    "                      (default: " DEFAULT_CONFIG ")\n"
    "      --check-config  read and check the configuration, report every mistake, warn of\n"
    "                      folders that are missing or cannot be written, and exit; root's check\n"
    "                      becomes the user of exsyncd.service\n"
    "      --version       print the version and exit\n"
    "  -h, --help          print this and exit\n"
    "\n"
    "Exit status: 0 after an orderly stop, 64 for wrong options, 65 for a database that it "
    "refuses,\n"
    "75 when it could not start for now, 78 for mistakes in the configuration.\n"
    "Signals: SIGHUP reads the configuration again, SIGTERM stops, SIGUSR1 tries at once what has\n"
    "stopped because Exchange refused it.\n";

struct options {
    const char *config_path;
    bool check_config;
};

enum { OPTION_CHECK_CONFIG = 256, OPTION_VERSION };

/* Returns -1 to go on, or the exit status. */
static int read_options(int count, char **arguments, struct options *options)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(count, arguments, "c:h", known, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config_path = optarg;
            break;
        case OPTION_CHECK_CONFIG:
            options->check_config = true;
            break;
        case OPTION_VERSION:
            puts("exsyncd " EXSYNC_VERSION);
            return EX_OK;
        case 'h':
            fputs(usage, stdout);
            return EX_OK;
        default:
            fputs("Try: exsyncd --help\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < count) {
        fprintf(stderr, "exsyncd: unexpected argument \"%s\"\nTry: exsyncd --help\n",
                arguments[optind]);
        return EX_USAGE;
    }
    return -1;
}

/* Passwords are in memory: no core dumps, and nobody but root may look. Each mailbox that is at
 * work wants a few files open. A peer that has gone is an error of a write, not our end. */
static void protect_process(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    umask(0077);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* What is asked for by a signal before the service can take it waits until it can. */
static void hold_signals(void)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGUSR1);
    sigprocmask(SIG_BLOCK, &held, NULL);
}

/* Tells mistakes and warnings. `unit`: looks at folders, too; NULL: does not. NULL: mistakes. */
static struct config *load(const char *path, const struct unit_file *unit)
{
    struct buffer report = {0};
    struct config *config = config_load(path, &report);
    if (config != NULL && unit != NULL) {
        check_folders(config, unit, &report);
        check_kerberos(config, unit, &report);
    }
    fputs(buffer_string(&report), stderr);
    buffer_release(&report);
    return config;
}

static int check(const char *path)
{
    struct unit_file unit = {0};
    struct buffer told = {0};
    unit_file_read(&unit);
    check_user_become(&unit, &told);
    struct config *config = load(path, &unit);
    fputs(buffer_string(&told), stderr);
    buffer_release(&told);
    unit_file_release(&unit);
    if (config == NULL)
        return EX_CONFIG;
    printf("%s: correct: %zu %s on %zu %s\n", path, config->mailbox_count,
           text_plural(config->mailbox_count, "mailbox", "mailboxes"), config->profile_count,
           text_plural(config->profile_count, "profile", "profiles"));
    config_free(config);
    return EX_OK;
}

static void report_start_failure(const struct failure *failure)
{
    fprintf(stderr, "exsyncd: cannot start: %s (%s): %s%s%s\n",
            failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text,
            failure->remedy == NULL || failure->remedy[0] == '\0' ? "" : "; ",
            failure->remedy == NULL ? "" : failure->remedy);
}

int main(int count, char **arguments)
{
    struct options options = {.config_path = DEFAULT_CONFIG};
    int status = read_options(count, arguments, &options);
    if (status >= 0)
        return status;
    hold_signals();
    protect_process();
    http_prepare_process();

    if (options.check_config)
        return check(options.config_path);
    struct config *config = load(options.config_path, NULL);
    if (config == NULL)
        return EX_CONFIG;

    struct failure failure = {0};
    struct service *service = service_create(config, options.config_path, &failure);
    if (service == NULL) {
        report_start_failure(&failure);
        return service_start_status(&failure);
    }
    status = service_run(service);
    service_free(service);
    return status;
}
