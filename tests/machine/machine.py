"""A machine that boots a real systemd: a container over a small Debian that is left as it was.

    with Machine(package) as machine:
        machine.boot()
        machine.run("dpkg", "--install", "/package.deb")

What it writes goes into memory. All mounts belong to a mount namespace that the test program has for
itself (see enter_namespace), and the machine ends with the process that booted it: nothing is left,
whatever happens. The network is the host's, so that it reaches a simulator on loopback.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness import PATIENCE_S, ROOT, Broken, Skipped, check, check_equal, until  # noqa: E402

SCRIPT = ROOT / "scripts/test-machine"
NAMESPACE = "EXSYNC_MACHINE_NAMESPACE"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CANNOT = 77
REBOOT = 133
# systemd-nspawn's own, which it writes in the host's name; here it is each test's, with all the rest.
FOLDER = pathlib.Path("/run/systemd/nspawn")


def enter_namespace():
    """Begins the program anew in a mount namespace of its own, where that is possible."""
    unshare = ["unshare", "--mount", "--propagation", "private"]
    if NAMESPACE in os.environ or subprocess.run([*unshare, "true"], check=False,
                                                 capture_output=True).returncode != 0:
        return
    os.environ[NAMESPACE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def _said(result):
    return f"{result.stdout}{result.stderr}".strip()


class Machine:
    """`package`: what will be installed in it; its dependencies are there from the beginning."""

    def __init__(self, package):
        if os.geteuid() != 0 or NAMESPACE not in os.environ:
            raise Skipped("a machine needs root, and mounts of its own (unshare --mount)")
        made = subprocess.run([SCRIPT, package], stdin=subprocess.DEVNULL, text=True, check=False,
                              capture_output=True)
        if made.returncode == CANNOT:
            raise Skipped(made.stderr.strip())
        check_equal(made.returncode, 0, f"status of {SCRIPT.name} ({_said(made)})")
        self.nspawn = self.leader = None
        self.root = FOLDER / "root"
        try:
            self._mount(made.stdout.strip())
        except subprocess.CalledProcessError as error:
            self.close()
            raise Skipped(f"no overlay can be mounted: {error.stderr.strip()}") from None

    def _mount(self, lower):
        def mount(*words):
            subprocess.run(["mount", *words], check=True, capture_output=True, text=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=755,size=512m", "tmpfs", FOLDER)
        for name in ("upper", "work", "root"):
            (FOLDER / name).mkdir(mode=0o755)
        mount("-t", "overlay", "-o",
              f"lowerdir={lower},upperdir={FOLDER}/upper,workdir={FOLDER}/work", "overlay", self.root)

    def path(self, path):
        """A path of the machine as the test sees it."""
        return self.root / path.lstrip("/")

    # --- life ---

    def boot(self):
        """Until all units have started. systemd-nspawn takes the machine with it when it is told to
        end, by close() or by the end of this process, but not when it is killed: so it is in a
        session of its own."""
        with open(FOLDER / "console", "ab") as console:
            self.nspawn = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--quiet", "--register=no",
                 "--kill-signal=SIGKILL", "--keep-unit", "--settings=no", "--resolv-conf=off",
                 "--timezone=off", "--link-journal=no", "--machine=mailhost",
                 f"--directory={self.root}", "--boot"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)

        def booted():
            if "inotify object: Too many open files" in self.console():
                raise Skipped("no machine can boot while root's processes use up "
                              "fs.inotify.max_user_instances")
            if self.nspawn.poll() is not None:
                kind = Skipped if self.leader is None else Broken
                raise kind(f"systemd-nspawn boots nothing here: {self.console()[-300:]}")
            self.leader = self._find_leader() or self.leader
            return self.leader is not None and self.ask(
                "systemctl", "is-system-running").strip() in ("running", "degraded")
        until(booted, lambda: f"the machine has booted: {self.console()[-600:]}", pause=0.05)

    def _find_leader(self):
        """The process of systemd-nspawn that is number 1 inside."""
        for entry in pathlib.Path("/proc").iterdir():
            try:
                lines = dict(line.split(":", 1) for line in
                             (entry / "status").read_text().splitlines() if ":" in line)
            except (OSError, ValueError):
                continue
            if int(lines["PPid"]) == self.nspawn.pid and lines["NSpid"].split()[1:] == ["1"]:
                return int(entry.name)
        return None

    def reboot(self):
        """In order, as `reboot` does it; whoever runs systemd-nspawn starts it again."""
        self.ask("systemctl", "--no-block", "reboot")
        try:
            status = self.nspawn.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Broken(f"the machine does not go down: {self.console()[-600:]}") from None
        check_equal(status, REBOOT, f"status of systemd-nspawn ({self.console()[-300:]})")
        self.boot()

    def console(self):
        return (FOLDER / "console").read_text(errors="replace")

    def close(self):
        """Like a power cut; its memory goes with it."""
        if self.nspawn is not None and self.nspawn.poll() is None:
            self.nspawn.terminate()
            self.nspawn.wait()
        for mounted in (self.root, FOLDER):
            subprocess.run(["umount", "--lazy", mounted], check=False, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None and not isinstance(error, Skipped):
            error.comment = self.console()[-2000:]
        self.close()

    # --- commands ---

    def call(self, *command, user=None, given=""):
        """Runs a command inside: its result."""
        inside = ["nsenter", f"--target={self.leader}", "--all", "--wd=/", "--", "env", "-i",
                  f"PATH={PATH}", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        if user is not None:
            inside += ["runuser", "-u", user, "--"]
        return subprocess.run([*inside, *map(str, command)], input=given, text=True, check=False,
                              capture_output=True, timeout=120)

    def ask(self, *command, **options):
        """What a command says, whatever its status is."""
        return self.call(*command, **options).stdout

    def run(self, *command, **options):
        """Runs a command that must succeed: all that it says."""
        result = self.call(*command, **options)
        if result.returncode != 0:
            raise Broken(f"{' '.join(map(str, command))}: status {result.returncode}: "
                         f"{_said(result)}")
        return _said(result)

    def refused(self, *command, **options):
        """Runs a command that must fail: all that it says."""
        result = self.call(*command, **options)
        check(result.returncode != 0, f"{' '.join(map(str, command))} succeeds: {_said(result)}")
        return _said(result)

    # --- its service ---

    def unit(self, name):
        """A property of the service."""
        return self.ask("systemctl", "show", "--property", name, "--value", "exsyncd").strip()

    def state(self):
        return self.ask("systemctl", "is-active", "exsyncd").strip()

    def process(self):
        return int(self.unit("MainPID"))

    def drop_in(self, text):
        """Replaces the service's drop-in, as `systemctl edit` does; "" removes it."""
        folder = self.path("/etc/systemd/system/exsyncd.service.d")
        folder.mkdir(exist_ok=True)
        (folder / "override.conf").write_text(text)
        self.run("systemctl", "daemon-reload")

    def journal(self, *words):
        return self.ask("journalctl", "--no-pager", "--quiet", "--unit=exsyncd", *words)

    def mode(self, path):
        return self.ask("stat", "--format=%a %U:%G", path).strip()
