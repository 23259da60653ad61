"""A real SMTP server (Exim) for tests: on a free port of this machine, with a configuration, a
queue and a Maildir of its own. It touches nothing else; started by root, it runs as Exim's user.

    with SmtpServer(certificate=authority.sign("mail"), accounts={"exsyncd": "secret"}) as server:
        ... server.host, server.port, server.url ...
        server.until_delivered(1)[0].message["Subject"]

Needs exim4-daemon-light."""

import dataclasses
import email
import email.message
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

EXIM = "/usr/sbin/exim4"
STAGES = ("connect", "helo", "auth", "mail", "rcpt", "predata", "data")
START_S = 20

CONFIGURATION = """\
exim_user = {user}
exim_group = {group}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
primary_hostname = mail.example.com
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
deliver_drop_privilege = true
queue_run_max = 0
smtp_accept_max = 100
tls_advertise_hosts = {advertise_tls}
{tls}
auth_advertise_hosts = {advertise_auth}
{stages}

begin acl
{acls}

begin routers
everybody:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{folder}/accounts}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{${{lookup{{$auth1}}lsearch{{{folder}/accounts}}}}}}}}
  server_set_id = $auth1
"""

ACL = """\
{stage}_acl:
  warn condition = ${{if exists{{{folder}/slow.{stage}}}}}
       delay = ${{readfile{{{folder}/slow.{stage}}}{{}}}}
  deny condition = ${{if exists{{{folder}/refuse5.{stage}}}}}
       message = ${{readfile{{{folder}/refuse5.{stage}}}{{}}}}
  defer condition = ${{if exists{{{folder}/refuse4.{stage}}}}}
       message = ${{readfile{{{folder}/refuse4.{stage}}}{{}}}}
{more}  accept
"""


@dataclasses.dataclass
class Delivered:
    """A message as it lies in the Maildir. Exim has put Return-path, Envelope-to and Received
    before what came."""

    sender: str  # of the envelope
    recipient: str
    raw: bytes
    message: email.message.Message


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SmtpServer:
    """`certificate`: (certificate, key), files in PEM; None: the server knows no TLS.
    `implicit_tls`: encrypted from the start (smtps://), otherwise STARTTLS is offered.
    `accounts`: {name: password}; when there are any, nobody else may send. Passwords go over
    encrypted connections only, unless `plain_auth`."""

    host = "127.0.0.1"

    def __init__(self, certificate=None, implicit_tls=False, accounts=None, plain_auth=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="exsync-smtp-", dir="/tmp"))
        self.port = free_port()
        self.implicit_tls, self.plain_auth = implicit_tls, plain_auth
        self.accounts = accounts or {}
        self.account = pwd.getpwnam("Debian-exim") if os.geteuid() == 0 else \
            pwd.getpwuid(os.geteuid())
        self.process = None
        self.certificate = certificate is not None
        for name in ("log", "spool", "mail"):
            (self.folder / name).mkdir()
        for name, file in zip(("certificate", "key"), certificate or ()):
            shutil.copyfile(file, self.folder / name)
        (self.folder / "accounts").write_text(
            "".join(f"{name}: {password}\n" for name, password in self.accounts.items()),
            encoding="utf-8")
        (self.folder / "exim.conf").write_text(self._configuration(), encoding="utf-8")
        self._hand_over()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def url(self):
        return f"smtp{'s' if self.implicit_tls else ''}://{self.host}:{self.port}"

    # --- up and down ---

    def start(self):
        """Up, always on the same port; what it had taken and not delivered is delivered."""
        (self.folder / "pid").unlink(missing_ok=True)
        identity = {}
        if os.geteuid() == 0:
            identity = {"user": self.account.pw_uid, "group": self.account.pw_gid,
                        "extra_groups": []}
        output = open(self.folder / "log/output", "ab")  # pylint: disable=consider-using-with
        with output:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [EXIM, "-C", self.folder / "exim.conf", "-bdf", "-q1h"], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, cwd="/", start_new_session=True, **identity)
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Exim does not start: {self.log()}")
            time.sleep(0.02)

    def stop(self):
        """Down: connections are refused, those that are open are cut."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- how it behaves from now on ---

    def refuse(self, answer="550 5.7.1 relaying denied", stage="rcpt"):
        """Each connection, from its next command on, gets this answer at the stage (STAGES; data is
        the end of the message). It must begin with the code, of 4xx or 5xx."""
        self.accept(stage)
        self._write(f"refuse{answer[0]}.{stage}", answer)

    def be_slow(self, seconds, stage="data"):
        """The answer at the stage takes so long (whole seconds)."""
        self._write(f"slow.{stage}", f"{seconds}s")

    def accept(self, *stages):
        """Takes refuse and be_slow back, at all stages when none is named."""
        for stage in stages or STAGES:
            for name in ("refuse4", "refuse5", "slow"):
                (self.folder / f"{name}.{stage}").unlink(missing_ok=True)

    # --- what it has taken ---

    def delivered(self):
        """What was delivered so far, oldest first."""
        files = sorted((self.folder / "mail/new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
        return [self._read(file) for file in files]

    def until_delivered(self, count, seconds=30):
        """Waits until so many messages, or more, are there."""
        deadline = time.monotonic() + seconds
        while len(messages := self.delivered()) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(messages)} messages, wanted {count}: {self.log()}")
            time.sleep(0.02)
        return messages

    def log(self):
        """What Exim says, of each connection too."""
        return "".join(file.read_text(encoding="utf-8", errors="replace")
                       for file in sorted((self.folder / "log").glob("*")))

    # --- private ---

    def _configuration(self):
        more = {"mail": "", "rcpt": ""}
        if self.accounts:
            more["mail"] = "  deny !authenticated = *\n" \
                           "       message = 530 5.7.0 authentication required\n"
        acls = "".join(ACL.format(stage=stage, folder=self.folder, more=more.get(stage, ""))
                       for stage in STAGES)
        tls = ""
        if self.certificate:
            tls = f"tls_certificate = {self.folder}/certificate\n" \
                  f"tls_privatekey = {self.folder}/key\n"
        if self.implicit_tls:
            tls += f"tls_on_connect_ports = {self.port}\n"
        encrypted = "*" if self.plain_auth else "${if eq{$tls_in_cipher}{}{}{*}}"
        return CONFIGURATION.format(
            user=self.account.pw_uid, group=self.account.pw_gid, folder=self.folder, port=self.port,
            advertise_tls="*" if self.certificate else "", tls=tls,
            advertise_auth=encrypted if self.accounts else "", acls=acls,
            stages="".join(f"acl_smtp_{stage} = {stage}_acl\n" for stage in STAGES))

    def _hand_over(self):
        """Exim's user must be able to read and write all of it, and takes no configuration that
        others can write."""
        self.folder.chmod(0o755)
        for path in (self.folder, *self.folder.glob("**/*")):
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _write(self, name, text):
        new = self.folder / f"new.{name}"
        new.write_text(text, encoding="utf-8")
        new.rename(self.folder / name)

    def _answers(self):
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    @staticmethod
    def _read(file):
        raw = file.read_bytes()
        message = email.message_from_bytes(raw)
        return Delivered(message["Return-path"].strip("<>"), message["Envelope-to"], raw, message)
