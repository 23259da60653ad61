"""What every end-to-end test of exsyncd shares: cases, conditions, and the programs under test.

A case is a function that says in words what must hold. It fails by raising; several cases of a
program run side by side, each with a scene (scene.py) of its own.

Environment:
    EXSYNC_BUILD     the folder of the build under test (build/release)
    EXSYNC_EXCHANGE  the folder of the build whose simulated Exchange it meets (EXSYNC_BUILD)
    EXSYNC_LONG      1: the full numbers (200 kills ...), otherwise small ones
    EXSYNC_SEED      repeats the random choices of an earlier run
    EXSYNC_KEEP      1: leaves the temporary folders of failed cases in place

    test_NAME.py [WORD]    runs all cases, or those with WORD in their name
"""

import concurrent.futures
import os
import pathlib
import random
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/data/mail"
LONG = os.environ.get("EXSYNC_LONG", "") not in ("", "0")
KEEP = os.environ.get("EXSYNC_KEEP", "") not in ("", "0")
SEED = os.environ.get("EXSYNC_SEED") or str(random.SystemRandom().randrange(10**9))
PATIENCE_S = 60
SIDE_BY_SIDE = 6


class Broken(Exception):
    """Something that must hold does not."""


class Unsure(Broken):
    """A busy machine may have made it. What the program itself does happens again when the case runs
    alone, and only that is a failure: a thread may have lost its processor while it held a lock that
    the loop waits for, or the simulator's between its answer and the end of its request."""


class Skipped(Exception):
    """The case cannot run on this machine."""


def program(name):
    """The path of a program of the build under test; the simulated Exchange is not tested here and
    may be of another one."""
    build = os.environ.get("EXSYNC_BUILD", "build/release")
    if name == "exchange-simulator":
        build = os.environ.get("EXSYNC_EXCHANGE", build)
    path = (ROOT / build / name).resolve()
    if not path.exists():
        raise Broken(f"{path} is not built")
    return str(path)


def check(holds, why):
    """`why` is a text, or a function that makes one."""
    if not holds:
        raise Broken(why() if callable(why) else why)


def check_equal(found, wanted, what):
    check(found == wanted, lambda: f"{what}: found {found!r}, wanted {wanted!r}"[:1500])


def until(condition, what, seconds=PATIENCE_S, pause=0.005):
    """Waits until condition() is true and returns its value. It looks after `pause` seconds first,
    then more and more rarely."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Broken(f"in {seconds} s it did not come about that {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.1)


def chance(name):
    """Random numbers of a case; the same for the same EXSYNC_SEED."""
    return random.Random(f"{SEED} {name}")


# --- cases ---------------------------------------------------------------------------------------

_cases = []
_output = threading.Lock()


def case(what_holds):
    """Registers a case under the sentence that says what must hold."""
    def register(function):
        _cases.append((what_holds, function))
        return function
    return register


def add_case(what_holds, function, *arguments):
    """The same for functions that are used with several arguments."""
    _cases.append((what_holds, lambda: function(*arguments)))


def say(line):
    with _output:
        print(line, flush=True)


def _one_line(error):
    return " ".join(str(error).split())[:1500]


def _told(what_holds, function):
    """Runs a case: the line about it, a comment, and whether it failed."""
    try:
        function()
        return f"ok - {what_holds}", "", False
    except Unsure:
        raise
    except Skipped as skipped:
        return f"ok - {what_holds} # SKIP {_one_line(skipped)}", "", False
    except Broken as broken:
        return (f"not ok - {what_holds}: {_one_line(broken)}", getattr(broken, "comment", ""), True)
    except Exception as error:  # whatever it is, it is the failure that is reported
        return (f"not ok - {what_holds}: {type(error).__name__}: {_one_line(error)}",
                traceback.format_exc(limit=-2) + getattr(error, "comment", ""), True)


def _run(what_holds, function, alone=False):
    """Whether the case failed; None: it is to be run again, alone."""
    begin = time.monotonic()
    try:
        line, comment, failed = _told(what_holds, function)
    except Unsure as blocked:
        if not alone:
            return None
        line, comment, failed = (f"not ok - {what_holds}: {_one_line(blocked)}",
                                 getattr(blocked, "comment", ""), True)
    with _output:
        print(line)
        for text in comment.splitlines():
            print(f"#   {text}")
        if os.environ.get("EXSYNC_TIMES"):
            print(f"#   {time.monotonic() - begin:.1f} s")
        sys.stdout.flush()
    return failed


def main(side_by_side=SIDE_BY_SIDE):
    """Runs the cases that the program has registered and ends it."""
    words = sys.argv[1:]
    chosen = [(name, function) for name, function in _cases if all(word in name for word in words)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=side_by_side) as pool:
        results = list(pool.map(lambda one: _run(*one), chosen))
    again = [one for one, result in zip(chosen, results) if result is None]
    failed = sum(filter(None, results)) + sum(_run(*one, alone=True) for one in again)
    if failed:
        say(f"# {failed} of {len(chosen)} failed; EXSYNC_SEED={SEED} repeats the random choices")
    sys.exit(1 if failed or not chosen else 0)
