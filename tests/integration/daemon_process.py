"""exsyncd as a process: started, told, stopped, killed; its log."""

import os
import signal
import subprocess
import time

from harness import Broken, Skipped, check, check_equal, program, until

STOP_S = 5
SANITIZED_STOP_S = 30  # with the search for leaks, on a busy machine
SANITIZER = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
             "WARNING: ThreadSanitizer", "AddressSanitizer:DEADLYSIGNAL")
NOBODY = 65534


def program_environment(user, leaks=True):
    """`leaks`: whether the sanitizer, where there is one, looks for leaks at the end."""
    keep = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment["SYSTEMD_UNIT_PATH"] = "/nonexistent"  # exsyncd may be installed on this machine
    # Another user may not look into the process, and the leak check wants to.
    leaks = leaks and not user
    environment["ASAN_OPTIONS"] = f"detect_leaks={int(leaks)}:detect_stack_use_after_return=0"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return environment


class Daemon:
    """`unprivileged`: run by somebody who may not do everything."""

    def __init__(self, folder, configuration, unprivileged=False):
        self.log_path = folder / "exsyncd.log"
        self.log_path.touch()
        self.configuration = configuration
        self.user = NOBODY if unprivileged and os.geteuid() == 0 else None
        self.environment = program_environment(self.user)
        self.process = None
        self.log_begin = 0  # of this run, in a log of several

    def command(self, *options):
        command = [program("exsyncd"), "--config", str(self.configuration), *options]
        if self.user:
            command = ["setpriv", "--reuid", str(self.user), "--regid", str(self.user),
                       "--clear-groups", "--"] + command
        return command

    def check_can_run(self):
        """Another user cannot run what lies in a folder that only its owner may enter."""
        if self.user:
            result = subprocess.run(self.command("--version"), stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, env=self.environment, check=False)
            if result.returncode != 0:
                raise Skipped("another user cannot run the program where it was built")

    def start(self):
        self.log_begin = self.log_path.stat().st_size
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.environment)
        return self

    def run(self, *options):
        """Runs to the end, as with --check-config: the status and all that was said."""
        result = subprocess.run(self.command(*options), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                env=self.environment, check=False)
        return result.returncode, result.stdout

    def running(self):
        return self.process is not None and self.process.poll() is None

    def check_running(self):
        check(self.running(), lambda: f"exsyncd has ended: {self.ending()}")

    def ending(self):
        return "not started" if self.process is None else f"status {self.process.returncode}"

    def until_takes(self, number):
        """Before main() has begun, a signal would just end the program."""
        until(lambda: not self.running() or self.takes(number), f"exsyncd takes signal {number}")

    def signal(self, number):
        self.until_takes(number)
        self.process.send_signal(number)

    def takes(self, number):
        """Whether the signal is held back until the service can take it, or caught."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                masks = dict(line.split(":", 1) for line in status)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return any(int(masks.get(name, "0"), 16) >> (number - 1) & 1 for name in ("SigBlk", "SigCgt"))

    def reload(self):
        self.signal(signal.SIGHUP)

    def try_now(self):
        """The administrator's word that all is mended."""
        self.signal(signal.SIGUSR1)

    def kill(self):
        """kill -9."""
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def stop(self):
        """An orderly stop, as systemd does it: status 0 within five seconds. Returns how long."""
        seconds = SANITIZED_STOP_S if "asan" in program("exsyncd") else STOP_S
        self.check_running()
        self.until_takes(signal.SIGTERM)
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken(f"exsyncd does not stop within {seconds} s of SIGTERM") from None
        check_equal(self.process.returncode, 0, "exit status after SIGTERM")
        return time.monotonic() - begin

    def ended(self, seconds=60):
        """Waits for an end that nobody asked for; the exit status."""
        until(lambda: not self.running(), "exsyncd ends", seconds)
        return self.process.returncode

    # --- the log ---

    def log(self):
        return self.log_path.read_text(errors="replace")

    def until_started(self):
        """From here on signals reach the service, however often it was started before."""
        def started():
            self.check_running()
            return " started: " in self.log()[self.log_begin:]
        until(started, "exsyncd has started")

    def log_lines(self, *words):
        """Lines that have all these words in them."""
        return [line for line in self.log().splitlines() if all(word in line for word in words)]

    def until_logged(self, *words):
        """The first line with all these words, once it is there."""
        def look():
            running = self.running()  # before the log is read: it may say so and end
            lines = self.log_lines(*words)
            check(lines or running, lambda: f"exsyncd has ended: {self.ending()}")
            return lines
        return until(look, f"the log has a line with {words}")[0]

    def log_lines_with(self, texts):
        """Lines with any of these texts."""
        return [line for line in self.log().splitlines() if any(text in line for text in texts)]
