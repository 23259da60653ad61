#!/usr/bin/python3
"""What tests leave behind when they are ended: a killed one no simulator, tests/run no tests."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from harness import ROOT, case, check_equal, main, until

KILLED = """
import os, signal
from scene import ANN, Exchange
print(Exchange([ANN]).process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def lives(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@case("a simulator ends with the test that has started it, though that is killed")
def _():
    result = subprocess.run([sys.executable, "-c", KILLED], stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, check=False,
                            env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parent)})
    process = int(result.stdout)
    until(lambda: not lives(process), "the simulator has ended")


@case("a run of tests that is ended ends those that run, and begins no other")
def _():
    with tempfile.TemporaryDirectory() as folder:
        test = pathlib.Path(folder) / "test"
        test.write_text(f"""#!/bin/sh
            sleep 1000 &
            echo $! >{folder}/$$.new && mv {folder}/$$.new {folder}/$$.begun
            wait""")
        test.chmod(0o755)
        with subprocess.Popen([sys.executable, ROOT / "tests/run", "--jobs", "2", *[test] * 4],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            def begun():
                return sorted(pathlib.Path(folder).glob("*.begun"))
            until(lambda: len(begun()) == 2, "two run")
            process.send_signal(signal.SIGTERM)
            check_equal(process.wait(timeout=60), 130, "status")
        check_equal(len(begun()), 2, "tests that have begun")
        for path in begun():
            for number in (int(path.stem), int(path.read_text())):
                until(lambda number=number: not lives(number), f"process {number} has ended")


main()
