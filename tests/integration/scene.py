"""A scene: one simulated Exchange, one exsyncd, in a temporary folder that goes with it.

    with Scene([ANN, BEN], profile={"batch_size": 5}) as scene:
        scene.exchange.load(ANN, "Inbox", mail)
        scene.daemon.start()
        scene.until_delivered(ANN, 45)

When the case went well, the end of the scene checks what must hold in every case: the daemon stops
in order, nothing unfinished is left, every request was valid and told whom it was for, no author
got a read receipt, the loop was never blocked.
"""

import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from daemon_process import NOBODY, SANITIZER, Daemon
from exchange_simulator import SCHEMA, Simulator
from harness import KEEP, LONG, Unsure, check, check_equal, program, until
from ledger import DELIVERED, DELIVERING, Ledger
from maildir import Maildir

ANN, BEN, CARLA = "ann@example.com", "ben@example.com", "carla@example.com"
PROFILE = "Contoso Ltd"
ACCOUNT, PASSWORD = "svc-sync", "right-password"
ALWAYS_ZERO = ("schema.invalid_requests", "schema.invalid_responses", "cookie_mismatches",
               "anchor_mismatches", "anchor_missing", "request_id_missing",
               "request_id_mismatches", "read_receipts")

# To read the schema is most of what a simulator does in a short case. These tests ask nothing of
# Exchange that others do not ask: only the long run compares their requests with it.
ASK_NOTHING_NEW = ("alert_categories", "alerts", "backlog", "backup", "clock", "completion",
                   "configuration", "control", "control_hostile", "ctl_actions", "ctl_many",
                   "ctl_queue", "ctl_terminal", "ctl_trace", "ctl_views", "ctl_waits", "hung_disk",
                   "journal", "kill", "log_rate", "notify", "outgoing_kill", "reload", "scheduler",
                   "service_manager", "stop", "storage")
VALIDATION = (["--schema", str(SCHEMA), "--strict"]
              if LONG or pathlib.Path(sys.argv[0]).stem.removeprefix("test_") not in ASK_NOTHING_NEW
              else [])


class Exchange(Simulator):
    """The simulator with one account; `options` are those of its command line. It ends with the thread
    that has started it, also when the test is killed."""

    def __init__(self, mailboxes, options=(), impersonation="all"):
        command = ["setpriv", "--pdeathsig", "KILL", program("exchange-simulator"), *VALIDATION,
                   "--account", f"{ACCOUNT}:{PASSWORD}",
                   "--impersonation", f"{ACCOUNT}:{impersonation}"]
        for address in mailboxes:
            command += ["--mailbox", address]
        self.process = subprocess.Popen(command + [str(option) for option in options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if len(line) != 4 or line[0] != "ready":
            self.kill()
            raise RuntimeError(f"the simulator does not start: {self.process.stderr.read()}")
        self.url, self.control_url = line[1], line[3]

    def counters(self):
        return self.control("counters")

    def add(self, mailbox, content, folder="Inbox", **values):
        """Adds a message, received now unless `received` says otherwise."""
        return self.control("add-mail", content, mailbox=mailbox, folder=folder, **values)

    def mime(self, item):
        status, content = self.control_raw("mime", item=item["id"])
        check_equal(status, 200, "status of /mime")
        return content

    def mimes(self, mailbox, folder="Inbox"):
        """How often each content is in the folder."""
        return collections.Counter(self.mime(item) for item in self.items(mailbox, folder))

    def fault(self, **values):
        return self.control("fault", **values)["fault"]

    def clear_faults(self):
        self.control("clear-faults")

    def grant(self, address):
        self.control("impersonation", account=ACCOUNT, grant=address)

    def revoke(self, address):
        self.control("impersonation", account=ACCOUNT, revoke=address)


class Scene:
    def __init__(self, mailboxes, options=(), profile=None, defaults=None, daemon=None,
                 impersonation="all", unprivileged=False, exchange=True, sections=None):
        """`mailboxes`: addresses, or a dictionary from address to its keys. `options`: of the
        simulator. `exchange`: False starts no simulator; start_exchange does it later. `sections`:
        more of the configuration, a dictionary from title to keys."""
        if not isinstance(mailboxes, dict):
            mailboxes = {address: {} for address in mailboxes}
        self.mailboxes = mailboxes
        self.sections = sections or {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="exsyncd-integration-"))
        self.exchange = None
        self.daemon = Daemon(self.folder, self.folder / "exsyncd.conf", unprivileged)
        self.ledger = Ledger(self.folder / "state/exsyncd.db")
        self.may_be_unfinished = False
        self.ignored_counters = ()
        self.answers_linger = False  # the simulator works on requests that were given up
        try:
            self.daemon.check_can_run()
            if exchange:
                self.exchange = Exchange(list(mailboxes), options, impersonation)
            self._prepare(profile or {}, defaults or {}, daemon or {})
        except BaseException:
            self._clean_up()
            raise

    def _prepare(self, profile, defaults, daemon):
        for name in ("state", "mail"):
            (self.folder / name).mkdir()
        self.password_file = self.folder / "password"
        self.write_password(PASSWORD)
        self.control_socket = self.folder / "control.sock"
        self.daemon_keys = {"state_directory": self.folder / "state",
                            "control_socket": self.control_socket, **daemon}
        self.profile_keys = {
            "url": self.exchange.url if self.exchange else "http://127.0.0.1:1/EWS/Exchange.asmx",
            "auth": "basic", "username": ACCOUNT, "password_file": self.password_file,
            "poll_interval": "1s", "retry_min": "100ms", "retry_max": "100ms",
            "transient_attempts": "1000", "probe_intervals": "1s",
            "process_email_from": "2000-01-01", **profile}
        self.default_keys = {"deliver": f"maildir:{self.folder}/mail/%u", **defaults}
        self.write_configuration()
        self.give_to_daemon()

    def start_exchange(self, options=(), impersonation="all"):
        """The simulator, after all."""
        self.exchange = Exchange(list(self.mailboxes), options, impersonation)
        self.profile_keys["url"] = self.exchange.url
        self.write_configuration()

    def give_to_daemon(self):
        """All that is in the folder becomes the daemon's user's."""
        if not self.daemon.user:
            return
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)

    # --- configuration ---

    def write_password(self, password):
        with open(self.password_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600),
                  encoding="utf-8") as file:
            file.write(password + "\n")

    def write_configuration(self):
        sections = {"exsyncd": self.daemon_keys, f"profile {PROFILE}": self.profile_keys,
                    "mailbox-defaults": self.default_keys, **self.sections}
        sections.update({f"mailbox {address}": keys for address, keys in self.mailboxes.items()})
        lines = []
        for title, keys in sections.items():
            lines += [f"[{title}]", *[f"{key} = {value}" for key, value in keys.items()], ""]
        self.daemon.configuration.write_text("\n".join(lines), encoding="utf-8")

    def reload(self):
        """Writes the configuration and waits until it is in use."""
        before = len(self.daemon.log_lines("configuration reloaded"))
        self.write_configuration()
        self.daemon.reload()

        def reloaded():
            self.daemon.check_running()
            return len(self.daemon.log_lines("configuration reloaded")) > before
        until(reloaded, "the configuration is reloaded")

    def change_password(self, password):
        """In Exchange and in the configuration, which is taken into use."""
        self.exchange.control("account", name=ACCOUNT, password=password)
        self.write_password(password)
        self.reload()

    # --- mail ---

    def maildir(self, address):
        return Maildir(self.folder / "mail" / address)

    def until_delivered(self, address, count, seconds=60):
        def enough():
            self.daemon.check_running()
            return self.maildir(address).count() >= count
        until(enough, lambda: f"{address} has {count} messages (it has "
              f"{self.maildir(address).count()})", seconds)

    def until_polled(self, *addresses, times=2):
        """Waits until each mailbox was looked at again, from beginning to end."""
        def requests():
            counters = self.exchange.counters()
            return {address: counters.get(f"mailbox_requests.{address}", 0) for address in addresses}
        before = requests()

        def polled():
            now = requests()
            return all(now[address] >= before[address] + times for address in addresses)
        until(polled, f"{addresses} are looked at again")

    def until_left_alone(self, address, while_polled):
        """Waits until a cycle that ran when the mailbox was turned off is over: nothing is asked
        for it while another mailbox is polled."""
        def left_alone():
            before = self.exchange.counter(f"mailbox_requests.{address}")
            self.until_polled(while_polled)
            return self.exchange.counter(f"mailbox_requests.{address}") == before
        until(left_alone, f"{address} is left alone")

    def check_delivered(self, address, folders=("Inbox",), crlf=False):
        """Exactly what the folders hold is in the Maildir, each message once."""
        wanted = sum((self.exchange.mimes(address, folder) for folder in folders),
                     collections.Counter())
        if not crlf:
            wanted = collections.Counter({content.replace(b"\r\n", b"\n"): count
                                          for content, count in wanted.items()})
        self.check_contents(address, self.maildir(address).contents(), wanted)

    @staticmethod
    def check_contents(address, found, wanted):
        missing, more = wanted - found, found - wanted
        check(not missing and not more,
              lambda: f"{address}: {sum(missing.values())} messages are missing, "
              f"{sum(more.values())} too many or altered, of {sum(wanted.values())}; "
              f"first: {next(iter((missing or more)), b'')[:80]!r}")

    def check_agreement(self, address, taken=0):
        """Ledger and Maildir tell of the same messages. `taken`: those a consumer has moved away."""
        check_equal(self.ledger.count(address, DELIVERING), 0, f"{address}: rows half delivered")
        check_equal(self.ledger.count(address, DELIVERED), self.maildir(address).count() + taken,
                    f"{address}: delivered rows of the ledger")

    # --- the end ---

    def check_end(self):
        if self.daemon.running():
            self.daemon.stop()
        check_equal(self.daemon.log_lines_with(SANITIZER), [], "a sanitizer's report")
        if not self.may_be_unfinished:
            self.check_nothing_unfinished()
        check(self.ledger.integrity() in ("ok", None), "PRAGMA integrity_check is not ok")
        check_equal(self.ledger.foreign_keys_broken(), [], "PRAGMA foreign_key_check")
        if self.exchange is not None:
            self._check_exchange()
        blocked = self.daemon.log_lines_with(["loop blocked:"])
        if blocked:
            raise Unsure(f"the loop was held: {blocked}")

    def check_nothing_unfinished(self):
        for address in self.mailboxes:
            check_equal(self.maildir(address).unfinished(), [], f"{address}: left in the spool")
        for address in self.mailboxes:
            check_equal(self.ledger.count(address, DELIVERING), 0, f"{address}: rows half delivered")

    def _check_exchange(self):
        counters = self.exchange.counters()
        for name in set(ALWAYS_ZERO).difference(self.ignored_counters):
            check_equal(counters.get(name, 0), 0, f"counter {name}")
        if not self.answers_linger:
            self._check_concurrency(counters)
        status, said = self.exchange.stop()
        check(status == 0, f"the simulator ended with status {status}: {said[:400]}")

    def _check_concurrency(self, counters):
        """The simulator counts a request until its connection is through with the answer, a moment
        longer than the client waits for it: one more than allowed may be seen."""
        for name, value in counters.items():
            if name.startswith("mailbox_concurrency.") and value > 2:
                raise Unsure(f"{name} is {value}: two cycles of one mailbox at once")
        limit = int(self.profile_keys.get("max_connections", 10))
        if counters.get("concurrency.peak", 0) > limit + 1:
            raise Unsure(f"concurrency.peak is {counters['concurrency.peak']}, max_connections is {limit}")

    def _clean_up(self, keep=False):
        self.daemon.kill()
        if self.exchange is not None:
            self.exchange.kill()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        keep = KEEP
        try:
            if error is None:
                self.check_end()
                keep = False
        except Exception as wrong:
            self._comment(wrong)
            raise
        finally:
            if isinstance(error, Exception):
                self._comment(error)
            self._clean_up(keep)
        return False

    def _comment(self, error):
        """What helps to understand a failure, for harness.py to print."""
        lines = self.daemon.log().splitlines()
        error.comment = "\n".join([f"folder {self.folder}", "end of the log:", *lines[-25:]])
