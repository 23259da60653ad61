"""What the benchmarks share: the simulated Exchange, exsyncd with a configuration, the floor and
the peer as processes, and what a process has used.

EXSYNC_BUILD in the environment names the folder of the build that is measured (build/release).
"""

import atexit
import getpass
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from exchange_simulator import CORPUS, Simulator  # noqa: E402
from harness import program  # noqa: E402
from outbox import Outbox  # noqa: E402

ACCOUNT, PASSWORD = "svc-sync", "a-password"
PATTERN = "user%05d@example.com"
CONNECTIONS = 10
TICKS = os.sysconf("SC_CLK_TCK")
SAME_WORK = 0.05  # so much may the floor's requests differ from exsyncd's
SENDING = {"incoming": "no", "outgoing": "yes", "submitters": getpass.getuser()}
PEER_PYTHON = "/usr/bin/python3"


class Wrong(Exception):
    """A measurement that means nothing: something did not do its work."""


class Run:
    """What one run of one program came to."""

    def __init__(self, messages, seconds, cpu, peak_kb):
        self.messages = messages
        self.rate = messages / seconds
        self.cpu = cpu / messages * 1000
        self.peak = peak_kb / 1024
        self.total_cpu = cpu
        self.simulator_cpu = 0.0
        self.requests = {}

    def add_exchange(self, exchange, cpu_before, operations):
        """What the simulator has used since, and was asked for."""
        self.simulator_cpu = exchange.cpu_seconds() - cpu_before
        counters = exchange.counters()
        self.requests = {name: counters.get(f"requests.{name}", 0) for name in operations}


def check_same_work(exsyncd, floor):
    for name, count in exsyncd.requests.items():
        if abs(count - floor.requests[name]) > SAME_WORK * count:
            raise Wrong(f"exsyncd sends {count} {name} requests and the floor "
                        f"{floor.requests[name]}: it no longer asks as exsyncd does")


def temporary_folder():
    """A folder that goes with this process."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="exsyncd-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def file_system(folder):
    """What kind of file system a folder is on: "tmpfs (memory)", "ext4 (disk)"."""
    best, kind = "", "unknown"
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, name = line.split()[:3]
        inside = mount == "/" or f"{folder}/".startswith(f"{mount}/")
        if inside and len(mount) >= len(best):
            best, kind = mount, name
    return f"{kind} ({'memory' if kind in ('tmpfs', 'ramfs') else 'disk'})"


def addresses(count):
    return [PATTERN % number for number in range(1, count + 1)]


# --- processes -----------------------------------------------------------------------------------


def cpu_seconds(pid):
    """User and system time that all threads of a running process have used."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_kb(pid, name):
    """VmHWM (the peak) or VmRSS of a running process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise Wrong(f"process {pid} has no {name}")


def wait(process):
    """Waits for the end of a child; its status and the CPU seconds that it has used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


# --- Exchange ------------------------------------------------------------------------------------


def make_certificate(folder):
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Exchange(Simulator):
    """The simulator as fast as it is: nothing is checked against the schema."""

    def __init__(self, *options, certificate=None):
        command = [program("exchange-simulator"), "--account", f"{ACCOUNT}:{PASSWORD}",
                   "--impersonation", f"{ACCOUNT}:all"]
        self.authority = None
        if certificate:
            self.authority, key = certificate
            command += ["--tls-certificate", self.authority, "--tls-key", key]
        command += [str(option) for option in options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        text=True)
        atexit.register(self.kill)
        line = self.process.stdout.readline().split()
        if len(line) != 4 or line[0] != "ready":
            raise Wrong("the simulator does not start")
        self.url, self.control_url = line[1], line[3]

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def counters(self, reset=False):
        return self.control("counters", **({"reset": 1} if reset else {}))


def exchange_with_corpus(mailboxes, messages, certificate=None):
    """So many mailboxes with so many messages of the corpus each."""
    return Exchange("--mailboxes", mailboxes, "--mailbox-pattern", PATTERN,
                    "--load-all", f"Inbox:{CORPUS}:{messages}", certificate=certificate)


# --- exsyncd -------------------------------------------------------------------------------------


class Exsyncd:
    """exsyncd with fresh state in a folder of its own."""

    def __init__(self, folder, exchange, mailboxes, defaults=None, **profile):
        """`defaults`: keys of all mailboxes."""
        self.folder = folder
        self.log_path = folder / "log"
        self.configuration = folder / "exsyncd.conf"
        for name in ("state", "mail"):
            (folder / name).mkdir(parents=True)
        password = folder / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD, encoding="utf-8")
        profile = {"url": exchange.url, "auth": "basic", "username": ACCOUNT,
                   "password_file": password, "max_connections": CONNECTIONS, **profile}
        if exchange.authority:
            profile["tls_ca_file"] = exchange.authority
        self._configure({"exsyncd": {"state_directory": folder / "state", "control_socket": "none"},
                         "profile bench": profile,
                         "mailbox-defaults": {"deliver": f"maildir:{folder}/mail/%u",
                                              **(defaults or {})},
                         **{f"mailbox {address}": {} for address in mailboxes}})
        self.outbox = Outbox(folder / "state/outbox")
        self.process = None

    def _configure(self, sections):
        lines = []
        for title, keys in sections.items():
            lines += [f"[{title}]", *[f"{key} = {value}" for key, value in keys.items()], ""]
        self.configuration.write_text("\n".join(lines), encoding="utf-8")

    def start(self):
        keep = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program("exsyncd"), "--config", self.configuration], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={key: os.environ[key] for key in keep
                                             if key in os.environ})
        atexit.register(self.kill)
        return self

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def delivered(self):
        """Messages that the log tells of."""
        return sum(int(count) for count in re.findall(r": (\d+) delivered ", self.log()))

    def until(self, condition, what, seconds):
        """Waits for a condition while the daemon runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                raise Wrong(f"exsyncd has ended before {what}:\n{self.log()[-2000:]}")
            stopped = re.search("(incoming|outgoing) stopped", self.log())
            if stopped or time.monotonic() > deadline:
                raise Wrong(f"not in {seconds} s: {what}:\n{self.log()[-2000:]}")
            time.sleep(0.02)

    def until_delivered(self, count, seconds=300):
        self.until(lambda: self.delivered() >= count, f"{count} messages are delivered", seconds)

    def until_logged(self, text, times=1, seconds=300):
        self.until(lambda: self.log().count(text) >= times, f"the log says {text!r}", seconds)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def memory_kb(self, name="VmHWM"):
        return memory_kb(self.process.pid, name)

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def stop(self):
        """Ends it in order; the CPU seconds of its whole life."""
        self.process.send_signal(signal.SIGTERM)
        status, cpu = wait(self.process)
        if status != 0:
            raise Wrong(f"exsyncd ended with status {status}:\n{self.log()[-2000:]}")
        return cpu


# --- the floor -----------------------------------------------------------------------------------

ENVELOPE = ('<?xml version="1.0" encoding="UTF-8"?>\n'
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" '
            'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header>'
            '<t:RequestServerVersion Version="Exchange2013_SP1"/><t:ExchangeImpersonation>'
            '<t:ConnectingSID><t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress>'
            '</t:ConnectingSID></t:ExchangeImpersonation></s:Header>'
            '<s:Body>{body}</s:Body></s:Envelope>\n')


def envelope(address, body):
    """A request of exsyncd's, as bytes."""
    return ENVELOPE.format(address=address, body=body).encode()


def floor_plan_head(exchange):
    return (f"url {exchange.url}\naccount {ACCOUNT} {PASSWORD}\n"
            f"authority {exchange.authority or '-'}\nconnections {CONNECTIONS}\n").encode()


def run_floor(name, plan, messages):
    """Runs one of the floors with its plan."""
    begin = time.monotonic()
    process = subprocess.Popen([program(name), plan], stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    status, cpu = wait(process)
    seconds = time.monotonic() - begin
    if status != 0:
        raise Wrong(f"the floor ended with status {status}")
    result = json.loads(said)
    if result["messages"] != messages:
        raise Wrong(f"the floor tells of {result['messages']} messages, not of {messages}")
    return Run(messages, seconds, cpu, result["peak_kb"])


# --- the peer ------------------------------------------------------------------------------------


def run_peer(name, folder, exchange, messages, batch_size, mailboxes):
    """Runs one of the peer's programs; `mailboxes`: what it is told of each, the address first."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"url": exchange.url, "account": ACCOUNT, "password": PASSWORD,
                                "connections": CONNECTIONS, "batch_size": batch_size,
                                "mailboxes": mailboxes}), encoding="utf-8")
    environment = dict(os.environ)
    if exchange.authority:
        environment["REQUESTS_CA_BUNDLE"] = str(exchange.authority)
    process = subprocess.Popen([PEER_PYTHON, pathlib.Path(__file__).with_name(name), plan],
                               stdout=subprocess.PIPE, text=True, env=environment)
    said = process.stdout.read()
    status, cpu = wait(process)
    if status != 0:
        raise Wrong(f"the peer ended with status {status}")
    result = json.loads(said)
    if result["messages"] != messages:
        raise Wrong(f"the peer tells of {result['messages']} messages, not of {messages}")
    # Starting Python and loading the library is not held against it.
    return Run(messages, result["seconds"], cpu - result["cpu_before"], result["peak_kb"])
