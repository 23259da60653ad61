#!/usr/bin/python3
"""The notification to a profile's owner, read by readers of mail, HTML and JSON that know nothing
of who wrote it."""

import email
import email.policy
import html.parser
import json
import re
import subprocess

from harness import add_case, case, check, check_equal, main, program

ID = "018f0000-0000-7000-8000-000000000001"
ACTIVITY = "6f0c2c1e-0000-4000-8000-000000000000"
DENIED = "The account does not have permission to impersonate the requested user."
ROLE = ("Exchange may take a while, and differ between servers, before a new role works; exsyncd "
        "tests again by itself.")
OPENED = 1767609900000  # 2026-01-05 10:45 UTC
HOSTILE = "\"><script>alert('x')</script> & <img src=http://evil/x> =?UTF-8?Q?=41?= \u00fc\u2028"


def refused(mailbox, direction="incoming", **members):
    did = ("receiving email. " if direction == "incoming"
           else 'sending the email message "Offer". Mailbox ')
    return {"id": 7, "level": 3, "scope": "mailbox", "profile": "contoso", "mailbox": mailbox,
            "direction": direction, "category": "impersonation",
            "code": "ErrorImpersonateUserDenied", "step": "FindItem", "http_status": 500,
            "opening": f"An impersonation error occurred in accessing the mailbox while {did}"
                       f"{mailbox} didn't synchronize.",
            "sentence": "The account of the profile may not impersonate the user of this mailbox.",
            "remedy": f"Grant the account the role ApplicationImpersonation. {ROLE}",
            "text": DENIED, "activity": ACTIVITY, "trace": "   at FindItem\n   at incoming\n",
            "opened_ms": OPENED, "last_seen_ms": OPENED + 1000, "count": 3, **members}


def notification(*alerts, **members):
    return {"id": ID, "kind": "trouble", "from": "exsyncd@host.contoso.com",
            "owner": "olaf@contoso.com", "host": "host.contoso.com", "profile": "contoso",
            "account": "CONTOSO\\svc-sync", "url": "https://mail.contoso.com/EWS/Exchange.asmx",
            "date_ms": OPENED + 60000, "alerts": list(alerts), **members}


def write(form, what, zone="Europe/Berlin"):
    return subprocess.run([program("notification_driver"), form], input=json.dumps(what).encode(),
                          stdout=subprocess.PIPE, check=True, env={"TZ": zone}).stdout


def check_raw(raw):
    """Seven bits, CRLF and nothing but CRLF, short lines but for words that cannot be folded."""
    check(raw.isascii(), "a byte has eight bits")
    check(raw.endswith(b"\r\n"), "the mail does not end with a line end")
    for line in raw[:-2].split(b"\r\n"):
        check(b"\r" not in line and b"\n" not in line, f"a bare CR or LF: {line!r}")
        check(len(line) < 76 or line.startswith((b"From: ", b"To: ", b"Message-ID: "))
              or b" " not in line.strip().partition(b": ")[2],
              f"{len(line)} bytes: {line!r}")


class Mail:
    def __init__(self, what, **options):
        raw = write("mail", what, **options)
        check_raw(raw)
        self.message = email.message_from_bytes(raw, policy=email.policy.default)
        self.parts = {part.get_content_type(): part for part in self.message.walk()}
        for part in self.parts.values():
            check_equal(part.defects, [], "defects")
        for name, value in self.message.items():
            check_equal(value.defects, (), f"defects of {name}")
        self.plain = self.parts["text/plain"].get_content().replace("\r\n", "\n")
        self.source = self.parts["text/html"].get_content().replace("\r\n", "\n")
        self.html = Page(self.source)


class Page(html.parser.HTMLParser):
    """The text of an HTML page; that it is well-formed and asks for nothing from elsewhere."""

    EMPTY = {"meta"}
    ALLOWED = {"html": {"lang"}, "head": set(), "meta": {"http-equiv", "content", "name"},
               "title": set(), "body": {"style"}, "h2": {"style"}, "p": {"style"},
               "ul": {"style"}, "li": set(), "pre": {"style"}}

    def __init__(self, source):
        super().__init__()
        self.open, self.texts, self.metas = [], [], {}
        self.feed(source)
        self.close()
        check_equal(self.open, [], "elements that stay open")
        self.text = "".join(self.texts)

    def handle_starttag(self, tag, attrs):
        check(tag in self.ALLOWED, f"the element {tag}")
        names = {name for name, _ in attrs}
        check(names <= self.ALLOWED[tag], f"attributes of {tag}: {names}")
        for name, value in attrs:
            check("url(" not in value and "://" not in value, f"{name} asks for {value}")
            check(not re.search(r"(?<!-)color\s*:|background", value), f"a colour: {value}")
        if tag == "meta":
            self.metas[dict(attrs).get("name")] = dict(attrs)["content"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, f"</{tag}> has no beginning")

    def handle_data(self, data):
        self.texts.append(data)


def check_both(mail, words):
    for name, text in (("plain text", mail.plain), ("HTML", mail.html.text)):
        check(words in text, lambda: f"{words!r} is not in the {name}:\n{text}")


def check_neither(mail, words):
    for name, text in (("plain text", mail.plain), ("HTML", mail.html.text)):
        check(words not in text, lambda: f"{words!r} is in the {name}:\n{text}")


@case("a mail is addressed, dated and answered by nobody")
def _():
    mail = Mail(notification(refused("carla@contoso.com")))
    header = mail.message
    check_equal(header["From"].addresses[0].addr_spec, "exsyncd@host.contoso.com", "From")
    check_equal(header["To"].addresses[0].addr_spec, "olaf@contoso.com", "To")
    check_equal(header["Message-ID"], f"<{ID}.exsyncd@host.contoso.com>", "Message-ID")
    check_equal(header["Date"].datetime.timestamp() * 1000, OPENED + 60000, "Date")
    check_equal(header["Auto-Submitted"], "auto-generated", "Auto-Submitted")
    check_equal(header["X-Auto-Response-Suppress"], "All", "X-Auto-Response-Suppress")
    check_equal(header.get_content_type(), "multipart/alternative", "the type")
    check_equal([part.get_content_type() for part in header.iter_parts()],
                ["text/plain", "text/html"], "the parts")


@case("an address stands as it is, however long and odd")
def _():
    owner, host = "=?$`{o}" + "o" * 50 + "@" + "a" * 60 + ".com", ".".join(["h" * 60] * 4)
    mail = Mail({**notification(refused("carla@contoso.com")), "owner": owner, "host": host,
                 "from": f"exsyncd@{host}"})
    check_equal(dict(mail.message.raw_items())["To"], f"<{owner}>", "To")
    check_equal(mail.message["Message-ID"], f"<{ID}.exsyncd@{host}>", "Message-ID")


@case("both texts say what happened, since when, to whom, what to do, and how it goes on")
def _():
    mail = Mail(notification(refused("carla@contoso.com")))
    for words in (
            "An impersonation error occurred in accessing the mailbox while receiving email. "
            "carla@contoso.com didn't synchronize. The owner of the associated email server "
            "profile contoso has been notified.",
            "Since 2026-01-05 11:45 CET.", "carla@contoso.com\n",
            "New-ManagementRoleAssignment -Name:exsyncd -Role:ApplicationImpersonation "
            '-User:"CONTOSO\\svc-sync"\n',
            "Get-ManagementRoleAssignment -Role:ApplicationImpersonation -GetEffectiveUsers "
            '-WritableRecipient:"carla@contoso.com"\n',
            ROLE, f"ActivityId: {ACTIVITY}\n", f">Error : {DENIED}\n", "at FindItem\n",
            "You get one message when all is well again.", "exsyncctl alerts"):
        check_both(mail, words)


@case("the same mail is written twice the same")
def _():
    what = notification(refused("carla@contoso.com"))
    check_equal(write("mail", what), write("mail", what), "the mail")


@case("a mail can be read on a telephone, and in the dark")
def _():
    mail = Mail(notification(refused("carla@contoso.com")))
    check_equal(mail.html.metas["viewport"], "width=device-width, initial-scale=1", "the viewport")
    check_equal(mail.html.metas["color-scheme"], "light dark", "the colour scheme")
    check("<table" not in mail.source, "there is a table")


SUBJECTS = {
    "one mailbox": (
        notification(refused("carla@contoso.com")),
        "exsyncd: carla@contoso.com may not be impersonated (profile contoso)"),
    "one mailbox in both directions": (
        notification(refused("carla@contoso.com"), refused("carla@contoso.com", "outgoing")),
        "exsyncd: carla@contoso.com may not be impersonated (profile contoso)"),
    "one mailbox for another cause": (
        notification(refused("carla@contoso.com", category="tls")),
        "exsyncd: carla@contoso.com doesn't synchronize: TLS error (profile contoso)"),
    "many mailboxes": (
        notification(*(refused(f"{n}@contoso.com") for n in range(12)), refused("3@contoso.com")),
        "exsyncd: 12 mailboxes of profile contoso don't synchronize"),
    "more than are named": (
        notification(refused("a@contoso.com"), refused("b@contoso.com"), alert_total=300),
        "exsyncd: at least 2 mailboxes of profile contoso don't synchronize"),
    "most of a profile": (
        notification(refused("", scope="profile", absorbs=True), refused("x@contoso.com"),
                     mailboxes=["a@contoso.com", "b@contoso.com"], mailbox_total=300),
        "exsyncd: 300 mailboxes of profile contoso don't synchronize"),
    "a profile": (
        notification(refused("", scope="profile", category="authentication")),
        "exsyncd: profile contoso doesn't synchronize: authentication error"),
    "a message": (
        notification(refused("carla@contoso.com", "outgoing", scope="item", category="item")),
        "exsyncd: a message of carla@contoso.com was not sent (profile contoso)"),
    "messages": (
        notification(*[refused("carla@contoso.com", scope="item", category="item")] * 3),
        "exsyncd: 3 messages of profile contoso were not sent or received"),
    "the end": (
        notification(refused("carla@contoso.com", resolved_ms=OPENED + 3600000), kind="well"),
        "exsyncd: all is well again (profile contoso)"),
    "letters of all kinds": (
        notification(refused("carla@contoso.com"), profile="B\u00fcro M\u00fcnchen, \u2603 und "
                                                           "alles andere auch noch"),
        "exsyncd: carla@contoso.com may not be impersonated (profile B\u00fcro M\u00fcnchen, "
        "\u2603 und alles andere auch noch)"),
    "a name that goes on": (
        notification(refused("carla@contoso.com"), profile="x\r\nBcc: eve@evil.com"),
        "exsyncd: carla@contoso.com may not be impersonated (profile x  Bcc: eve@evil.com)"),
}


def subject_case(what, subject):
    mail = Mail(what)
    check_equal(mail.message["Subject"], subject, "the subject")
    check_equal(mail.message["Bcc"], None, "a field from outside")
    check_equal(json.loads(write("json", what))["summary"], subject, "the summary")


for name, (what, subject) in SUBJECTS.items():
    add_case(f"the subject says it all: {name}", subject_case, what, subject)


@case("three hundred alerts of one cause share one section, one remedy and one list")
def _():
    mail = Mail(notification(*(refused(f"user{n:03}@contoso.com") for n in range(300))))
    check_equal(mail.plain.count("What to do"), 1, "remedies")
    check_equal(mail.plain.count("has been notified"), 50, "sentences")
    check_equal(mail.plain.count("and 250 more: exsyncctl alerts"), 2, "what is left out")
    check_both(mail, "user049@contoso.com")
    check_neither(mail, "user050@contoso.com")
    check_both(mail, "user000@contoso.com stands for each of the 300 mailboxes.")
    check_equal(mail.plain.count("ActivityId"), 1, "details")
    check_equal(mail.html.text.count("ActivityId"), 1, "details of the HTML")


@case("each cause has a section, a remedy and details of its own")
def _():
    mail = Mail(notification(
        refused("a@contoso.com"),
        refused("b@contoso.com", category="throttling", code="ErrorServerBusy", text="",
                sentence="The server is busy.", remedy="Wait. exsyncd tests again by itself."),
        refused("c@contoso.com")))
    for text in (mail.plain, mail.html.text):
        check_equal(text.count("What to do"), 2, "remedies")
        first, second = text.split("What happened")[1:]
        check("a@contoso.com" in first and "c@contoso.com" in first, "the first cause's mailboxes")
        check("b@contoso.com" not in first and "b@contoso.com" in second, "the second cause's")
        check('Get-ThrottlingPolicyAssociation -Identity:"b@contoso.com"' in second, "its commands")
        check(">Error : The server is busy.\n" in second, "its error, where the server said none")


@case("most of a profile is told with the list of its mailboxes")
def _():
    names = [f"user{n:03}@contoso.com" for n in range(60)]
    opening = ("An impersonation error occurred in accessing more than half of the 500 mailboxes of "
               "the email server profile contoso. They didn't synchronize.")
    mail = Mail(notification(refused("", scope="profile", absorbs=True, opening=opening),
                             mailboxes=names, mailbox_total=300))
    check_both(mail, opening + " The owner of the associated email server profile contoso has been "
                               "notified.")
    check_both(mail, "user049@contoso.com\n")
    check_neither(mail, "user050@contoso.com")
    check_both(mail, "and 250 more: exsyncctl alerts")
    check_both(mail, "user000@contoso.com stands for each of the 300 mailboxes.")
    check_both(mail, '-WritableRecipient:"user000@contoso.com"')


@case("a profile is told with all its mailboxes")
def _():
    mail = Mail(notification(refused("", scope="profile", category="authentication",
                                     code="HTTP 401", remedy="Check the password.")))
    check_both(mail, "All mailboxes of the profile contoso.")
    check_both(mail, "In PowerShell, with the Active Directory module:")
    check_both(mail, 'Get-ADUser -Identity:"svc-sync" -Server:"CONTOSO"')
    check_both(mail, "Check the password. A new password goes into the file that password_file of "
                     "[profile contoso] names: exsyncctl reload takes it into use and tries it (one "
                     "from password_credential: systemctl restart exsyncd).")
    check_both(mail, "exsyncctl test --profile contoso --sign-in tries it at once. exsyncd tests "
                     "again by itself.")


@case("a notification without alerts can be read all the same")
def _():
    check_both(Mail(notification()), "You get one message when all is well again.")
    check_both(Mail(notification(kind="well")), "All is well again")


@case("the end is told with what is over, and with nothing to do")
def _():
    mail = Mail(notification(refused("carla@contoso.com", resolved_ms=OPENED + 3600000),
                             kind="well"))
    check_both(mail, "carla@contoso.com didn't synchronize.")
    check_both(mail, "From 2026-01-05 11:45 CET to 2026-01-05 12:45 CET.")
    check_both(mail, "Nothing needs to be done")
    check_neither(mail, "What to do")


@case("what comes from outside stays words")
def _():
    opening = (f"An impersonation error occurred in accessing the mailbox while sending the email "
               f"message \"{HOSTILE}\". Mailbox x didn't synchronize.")
    shown = opening.replace("\u2028", " ")
    what = notification(
        refused(HOSTILE, opening=opening, text=HOSTILE, sentence=HOSTILE, remedy=HOSTILE,
                code=HOSTILE, activity=HOSTILE, trace=f"{HOSTILE}\n</pre>\n.\n"),
        profile=HOSTILE, host="host", url=HOSTILE, account=HOSTILE, mailboxes=[HOSTILE])
    mail = Mail(what)
    check_both(mail, shown)
    check_both(mail, HOSTILE.replace("\u2028", " "))
    check_both(mail, "</pre>\n")
    read = json.loads(write("json", what))
    check_equal(read["alerts"][0]["error"], HOSTILE, "the error")


@case("a command reads the same as JSON, with all its members")
def _():
    what = notification(refused("carla@contoso.com"),
                        refused("", scope="profile", absorbs=True, id=8, resolved_ms=OPENED),
                        mailboxes=["a@contoso.com"], mailbox_total=9)
    raw = write("json", what)
    check(b"\n" not in raw, "it is more than one line")
    read = json.loads(raw)
    check_equal(list(read), ["version", "kind", "id", "date", "host", "profile", "owner",
                             "account", "url", "summary", "alerts", "alerts_total", "mailboxes",
                             "mailboxes_total"], "the members")
    check_equal((read["version"], read["kind"], read["id"], read["date"], read["owner"],
                 read["account"], read["alerts_total"], read["mailboxes"],
                 read["mailboxes_total"]),
                (1, "trouble", ID, "2026-01-05T10:46:00Z", "olaf@contoso.com",
                 "CONTOSO\\svc-sync", 2, ["a@contoso.com"], 9), "the values")
    first, second = read["alerts"]
    check_equal(set(first), {"id", "level", "scope", "mailbox", "direction", "category", "code",
                             "step", "http_status", "subject", "sentence", "cause", "remedy",
                             "error", "activity", "trace", "details", "opened", "last_seen",
                             "resolved", "count", "absorbs"}, "an alert's members")
    check_equal((first["id"], first["level"], first["mailbox"], first["trace"],
                 first["resolved"], first["count"], first["absorbs"], first["opened"]),
                (7, "error", "carla@contoso.com", ["   at FindItem", "   at incoming"], None, 3,
                 False, "2026-01-05T10:45:00Z"), "an alert's values")
    check(first["sentence"].endswith("profile contoso has been notified."), first["sentence"])
    check(first["remedy"].startswith("# What the account has:\nGet-Management"), first["remedy"])
    check(first["remedy"].endswith(ROLE), first["remedy"])
    check_equal(first["details"], f"ActivityId: {ACTIVITY}\n>Error : {DENIED}\n"
                                  "   at FindItem\n   at incoming\n", "the details")
    check('-WritableRecipient:"a@contoso.com"' in second["remedy"], second["remedy"])
    check_equal(json.loads(write("json", notification(kind="well")))["kind"], "well", "the kind")
    del what["account"]
    check_equal(json.loads(write("json", what))["account"], None, "an account not known")


main()
