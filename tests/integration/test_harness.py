#!/usr/bin/python3
"""What a test leaves behind when it is killed: no simulator."""

import os
import pathlib
import subprocess
import sys

from harness import case, main, until

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


main()
