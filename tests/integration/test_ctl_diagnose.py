#!/usr/bin/python3
"""exsyncctl diagnose: each case of a refused impersonation is told apart from the others."""

import time

from exsyncctl import EX_NOUSER, EX_UNAVAILABLE, EX_USAGE, Exsyncctl
from harness import add_case, case, check, check_equal, main
from scene import ACCOUNT, ANN, BEN, CARLA, PASSWORD, PROFILE, Scene

MEMBERS = {"kind", "address", "profile", "account", "url", "finding", "text", "commands", "tries",
           "refused", "account_mailbox", "works", "fails", "others", "error"}
TRIES, OTHERS = 6, 30


def quiet(mailboxes, options=(), **arguments):
    """A scene in which nothing but the diagnosis asks the server."""
    scene = Scene({address: {"incoming": "no"} for address in mailboxes}, options, **arguments)
    scene.ignored_counters = ("anchor_missing",)  # the account's own mailbox needs none
    return scene


def diagnose(tool, finding, *words):
    """The diagnosis, which must be this finding; what a person is shown is checked, too."""
    wanted = 0 if finding == "works" else EX_UNAVAILABLE
    answers = tool.answers("diagnose", *(words or (ANN,)), wanted=wanted)
    check_equal(len(answers), 1, "answers")
    found = answers[0]
    check_equal(set(found), MEMBERS, "members")
    check_equal(found["finding"], finding, f"the finding, which says {found['text']!r}")
    check(PASSWORD not in str(found), "the password is told")
    check_equal(found["commands"] is None, finding == "works", f"commands {found['commands']!r}")
    if finding != "works":
        check(found["commands"].endswith(f"\nexsyncctl diagnose {ANN}\n"),
              f"the last command: {found['commands']!r}")
    return found


def says(found, *words, member="text"):
    for word in words:
        check(word in found[member], f"{word!r} is not in {found[member]!r}")


@case("a mailbox that works is said to work, and nothing is to be done")
def _():
    with quiet([ANN, BEN], ["--account-mailbox", f"{ACCOUNT}:{BEN}"]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, "works")
        check_equal((found["tries"], found["refused"], found["account_mailbox"], found["error"]),
                    (TRIES, 0, "there", None), "what was found")
        check_equal(scene.exchange.counter("connections") >= TRIES, True, "new connections")
        tool.fails(EX_NOUSER, "diagnose", "nobody@example.com", saying="nobody@example.com")
        tool.fails(EX_USAGE, "diagnose")
        shown = tool.output("diagnose", ANN)
        check(all(len(line) <= 80 for line in shown.splitlines()), f"lines too long: {shown!r}")


@case("an account that cannot sign in")
def _():
    with quiet([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.write_password("wrong-password")
        scene.daemon.start().until_started()
        found = diagnose(tool, "sign-in-refused")
        check_equal((found["tries"], found["error"]["code"]), (0, "HTTP 401"), "what was found")
        says(found, ACCOUNT, "cannot sign in", PROFILE)
        says(found, "Get-ADUser", "Unlock-ADAccount", ACCOUNT, member="commands")
        check("ApplicationImpersonation" not in found["commands"], "the role is not the matter")
        check_equal(scene.exchange.counter("unauthorized"), 1, "refused sign-ins")


@case("an account whose sign-in was just refused is not tried again, unless that is wanted")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.write_password("wrong-password")
        scene.daemon.start()
        scene.daemon.until_logged("all its mailboxes wait")
        says(diagnose(tool, "sign-in-refused"), "not tried now", "--sign-in")
        check_equal(scene.exchange.counter("unauthorized"), 1, "refused sign-ins")
        check("not tried" not in diagnose(tool, "sign-in-refused", ANN, "--sign-in")["text"],
              "it was not tried")
        check_equal(scene.exchange.counter("unauthorized"), 2, "refused sign-ins")


@case("an account without the role, or with a scope that has none of these mailboxes")
def _():
    with quiet([ANN, BEN, CARLA], impersonation="none") as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, "no-role")
        check_equal((found["tries"], found["refused"], found["works"], sorted(found["fails"]),
                     found["others"]), (TRIES, TRIES, [], [BEN, CARLA], 2), "what was found")
        says(found, ACCOUNT, "may not impersonate", ANN, "the 2 other mailboxes", "no role",
             "has no mailbox of its own", "proves nothing")
        says(found, "New-ManagementRoleAssignment", ACCOUNT, "-GetEffectiveUsers",
             f'-WritableRecipient:"{ANN}"', member="commands")
        check_equal(found["account_mailbox"], "none", "the account's own mailbox")
        status, shown, err = tool.run("diagnose", ANN)
        check_equal(status, EX_UNAVAILABLE, "the exit status")
        check("New-ManagementRoleAssignment" in shown and "cannot be used" in err,
              f"it shows {shown!r} and says {err!r}")


@case("an account with a mailbox of its own, without the role: the mailbox is no matter")
def _():
    own = "svc@example.com"
    with quiet([ANN, BEN], ["--mailbox", own, "--account-mailbox", f"{ACCOUNT}:{own}"],
               impersonation="none") as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, "no-role")
        check_equal(found["account_mailbox"], "there", "the account's own mailbox")
        check("of its own" not in found["text"], f"it says {found['text']!r}")


@case("one mailbox alone cannot tell a role that is missing from a scope, and that is said")
def _():
    with quiet([ANN], impersonation="none") as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        says(diagnose(tool, "no-role"), "no other mailbox that could tell")


@case("a role that has a scope without the mailbox")
def _():
    everybody = [f"user{number:02d}@example.com" for number in range(60)]
    working = everybody[:30]
    with quiet([ANN, *everybody], impersonation=",".join(working)) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, "scope")
        check_equal((len(found["works"]) + len(found["fails"]), found["others"]), (OTHERS, 60),
                    "others that were asked for")
        check(set(found["works"]) <= set(working) and found["works"], f"works: {found['works']}")
        check(not set(found["fails"]) & set(working), f"fails: {found['fails']}")
        says(found, "only for some", f"{OTHERS} of the 60 other mailboxes", "at random",
             found["works"][0])
        says(found, "CustomRecipientWriteScope", "Get-ManagementScope",
             f'Add-DistributionGroupMember -Identity:exsyncd -Member:"{ANN}"',
             f'-RoleAssignee:"{ACCOUNT}"', f'-WritableRecipient:"{ANN}"', member="commands")
        again = diagnose(tool, "scope")
        check(set(again["works"] + again["fails"]) != set(found["works"] + found["fails"]),
              "the same others were chosen twice")
        check_equal(scene.exchange.counter("cookie_mismatches"), 0, "cookies of others")


@case("a role whose scope has the one other mailbox")
def _():
    with quiet([ANN, BEN], impersonation=BEN) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        says(diagnose(tool, "scope"), f"The one other mailbox of profile {PROFILE} works ({BEN}).")


@case("a role that was granted a moment ago, and that not every server knows")
def _():
    for granted in ((0,), (0, 1, 2), (1, 3)):
        with quiet([ANN, BEN, CARLA], impersonation="none") as scene:
            tool = Exsyncctl(scene)
            scene.daemon.start().until_started()
            for server in granted:
                scene.exchange.control("impersonation", account=ACCOUNT, grant="all", server=server)
            found = diagnose(tool, "spreading")
            check(0 < found["refused"] < TRIES, f"refused {found['refused']} of {TRIES}")
            says(found, "do not agree", "each on a new connection", "an hour")
            spared = TRIES - found["refused"]
            says(found, f"refused and {spared} {'was' if spared == 1 else 'were'} not.")
            says(found, "-GetEffectiveUsers", member="commands")
            check("New-ManagementRoleAssignment" not in (found["commands"] or ""), "it is granted already")
            scene.exchange.grant("all")
            diagnose(tool, "works")


@case("a mailbox that does not exist")
def _():
    with quiet([BEN, CARLA]) as scene:
        scene.mailboxes[ANN] = {"incoming": "no"}
        scene.write_configuration()
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, "no-mailbox")
        check_equal((sorted(found["works"]), found["error"]["code"]),
                    ([BEN, CARLA], "ErrorNonExistentMailbox"), "what was found")
        says(found, ANN, "impersonation is not the cause",
             f" Of the 2 other mailboxes of profile {PROFILE}, 2 can be used.")
        del scene.mailboxes[CARLA]
        scene.reload()
        says(diagnose(tool, "no-mailbox"),
             f" The one other mailbox of profile {PROFILE} can be used.")
        says(found, "Get-Mailbox", "Get-MailUser", ANN, member="commands")


@case("a server that knows none of the mailboxes")
def _():
    with quiet(["other@example.org"]) as scene:
        for address in (ANN, BEN, CARLA):
            scene.mailboxes[address] = {"incoming": "no"}
        del scene.mailboxes["other@example.org"]
        scene.write_configuration()
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, "wrong-server")
        says(found, "the wrong one", ANN, "the 2 other mailboxes")
        says(found, "Get-WebServicesVirtualDirectory", "Get-Mailbox", member="commands")


def wrong_url(change, finding, code):
    with quiet([ANN, BEN], profile={"connect_timeout": "3s"}) as scene:
        scene.profile_keys["url"] = change(scene)
        scene.write_configuration()
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        found = diagnose(tool, finding)
        check(code in found["error"]["code"], f"the cause: {found['error']}")
        says(found, found["url"])


for what, change, finding, code in (
        ("a path where there is nothing",
         lambda scene: scene.exchange.url.replace("EWS", "OWA"), "wrong-server", "HTTP 404"),
        ("a port where nobody listens",
         lambda scene: "http://127.0.0.1:1/EWS/Exchange.asmx", "unreachable",
         "CURLE_COULDNT_CONNECT"),
        ("a name that nobody knows",
         lambda scene: "https://nobody.invalid/EWS/Exchange.asmx", "unreachable",
         "CURLE_COULDNT_RESOLVE_HOST"),
        ("a port without TLS", lambda scene: scene.exchange.url.replace("http:", "https:"),
         "unreachable", "CURLE_SSL_CONNECT_ERROR")):
    add_case(f"a url with {what}", wrong_url, change, finding, code)


@case("a server that answers with something else than Exchange Web Services")
def _():
    with quiet([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        for body in ("html", "empty", "garbage"):
            scene.exchange.fault(body=body, count=0)
            says(diagnose(tool, "wrong-server"), scene.exchange.url)
            scene.exchange.clear_faults()


@case("what has nothing to do with impersonation is told as what it is")
def _():
    with quiet([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        scene.exchange.fault(mailbox=ANN, soap="ErrorServerBusy", count=0)
        found = diagnose(tool, "other")
        says(found, "not the impersonation", "ErrorServerBusy")
        scene.exchange.clear_faults()
        scene.exchange.fault(mailbox=ANN, code="ErrorAccessDenied", count=0)
        says(diagnose(tool, "other"), "ErrorAccessDenied")
        says(diagnose(tool, "other"), "Get-CASMailbox", member="commands")


@case("a diagnosis that is given up, a reload and a stop in its middle do no harm")
def _():
    with quiet([ANN, BEN, CARLA], ["--latency", "150"], impersonation=BEN) as scene:
        scene.answers_linger = True
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        for number in range(6):
            process = tool.start("diagnose", ANN)
            time.sleep(0.1 + 0.25 * number)
            process.kill()
            process.communicate()
        process = tool.start("diagnose", ANN)
        time.sleep(0.4)
        del scene.mailboxes[CARLA]
        scene.profile_keys["max_connections"] = 3
        scene.reload()
        out, err = process.communicate(timeout=60)
        check("only for some mailboxes" in out, f"it shows {out!r} {err!r}")
        process = tool.start("diagnose", ANN)
        time.sleep(0.3)
        scene.daemon.stop()
        process.communicate(timeout=60)
        check(process.returncode != 0, "a diagnosis that was cut short has worked")


main()
