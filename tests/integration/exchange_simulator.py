"""Starts the Exchange simulator and drives it: what several tests here share.

BUILD in the environment names the folder of the build (build/release).
"""

import atexit
import base64
import http.client
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/data/mail"
SCHEMA = ROOT / "tests/schema"
REQUESTS = ROOT / "tests/exchange/requests"


def program(name):
    """The path of a program of the build under test."""
    return str((ROOT / os.environ.get("BUILD", "build/release") / name).resolve())


class Checks:
    """Prints a line for each thing that must hold, and remembers whether all did."""

    def __init__(self):
        self.failed = 0

    def ok(self, holds, name, detail=""):
        print(f"{'ok' if holds else 'not ok'} - {name}", flush=True)
        if not holds:
            self.failed += 1
            if detail != "":
                print(f"# {str(detail)[:2000]}", flush=True)
        return holds

    def equal(self, found, wanted, name):
        return self.ok(found == wanted, name, f"found {found!r}, wanted {wanted!r}")

    def raises(self, kind, action, name):
        try:
            action()
        except kind:
            return self.ok(True, name)
        except Exception as other:  # any other exception is the failure that is reported
            return self.ok(False, name, f"{type(other).__name__}: {other}")
        return self.ok(False, name, "nothing was raised")

    def end(self):
        sys.exit(1 if self.failed else 0)


class Simulator:
    """A running simulator. Requests and answers are always checked against the schema."""

    def __init__(self, *arguments):
        command = [program("exchange-simulator"), "--schema", str(SCHEMA), "--strict",
                   "--check-responses", *[str(argument) for argument in arguments]]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        atexit.register(self.kill)
        line = self.process.stdout.readline().split()
        if len(line) != 4 or line[0] != "ready":
            raise RuntimeError(f"the simulator does not start: {self.process.stderr.read()}")
        self.url, self.control_url = line[1], line[3]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """Ends it; its exit status and what it said on standard error."""
        self.process.terminate()
        said = self.process.communicate(timeout=30)[1]
        return self.process.returncode, said

    def control_raw(self, command, content=None, /, **parameters):
        """A command of the control endpoint: status and bytes. A list repeats its parameter."""
        target = urllib.parse.urlsplit(self.control_url)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        query = urllib.parse.urlencode(parameters, doseq=True)
        connection.request("POST", f"/{command}?{query}", body=content)
        response = connection.getresponse()
        result = response.status, response.read()
        connection.close()
        return result

    def control(self, command, content=None, /, **parameters):
        """The same, that must succeed: its JSON."""
        status, answer = self.control_raw(command, content, **parameters)
        if status != 200:
            raise RuntimeError(f"{command}: {status} {answer.decode()}")
        return json.loads(answer)

    def items(self, mailbox, folder=None, **selector):
        if folder is not None:
            selector["folder"] = folder
        return self.control("items", mailbox=mailbox, **selector)["items"]

    def counter(self, name):
        return self.control("counters").get(name, 0)


TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


def envelope(body, impersonate=None, kind="PrimarySmtpAddress"):
    """A SOAP request with that body, as bytes."""
    sid = "" if impersonate is None else (
        f"<t:ExchangeImpersonation><t:ConnectingSID><t:{kind}>{impersonate}</t:{kind}>"
        "</t:ConnectingSID></t:ExchangeImpersonation>")
    return (f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{ENVELOPE}" '
            f'xmlns:t="{TYPES}" xmlns:m="{MESSAGES}"><s:Header>'
            f'<t:RequestServerVersion Version="Exchange2013_SP1"/>{sid}</s:Header>'
            f"<s:Body>{body}</s:Body></s:Envelope>").encode()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Client:
    """A connection to the EWS endpoint that shows what really comes back."""

    def __init__(self, url, user="svc", password="secret"):
        target = urllib.parse.urlsplit(url)
        self.path = target.path
        self.connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        self.headers = {"Content-Type": "text/xml; charset=utf-8"}
        if user is not None:
            self.headers["Authorization"] = basic(user, password)

    def post(self, body, **headers):
        """Status, headers and body of the answer."""
        self.connection.request("POST", self.path, body=body, headers={**self.headers, **headers})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def close(self):
        self.connection.close()
