"""`gridbazaar step`: every command from a pipe and from a file, and a conversation on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "gridbazaar.scenarios", "step", "ieee33")
EVERY_COMMAND = """
# all of them
help
help goto
step
step 3
show
show p1
show p1-p2
show bus 26
show residuals
show prices
show trades
show bids
show history 3
run clearing
run agreed
why p1 19
why bus 26 19
why p1-p2 19
run
show result
back 10
fork prosumers.p2.elastic_max_kw=50 as small
run settled
branches
diff main small
goto main@12
until lmp("p1", 19) > 0.265
switch small
fork
goto 3
quit
step 1000
"""


def step(text: str, *words: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "80", **options.pop("env", {})}
    return subprocess.run(
        [*COMMAND, *words],
        check=False,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        **options,
    )


@pytest.fixture(scope="module")
def piped():
    return step(EVERY_COMMAND)


def test_every_command_works_from_a_pipe(piped):
    assert piped.stderr == ""
    assert piped.returncode == 0
    for words in (
        "step [ROUNDS]: go on by one round, or by some",
        "round 1, step 1: the DSO clears the market at $13,056.59",
        "p1 at bus 4, round 4",
        "next, what was agreed is delivered and becomes the next bids",
        "The LMP at bus 26 in period 19 (18:00-19:00) is $0.27",
        "settled: nobody gains by deviating",
        "small: main after round 33, with prosumers.p2.elastic_max_kw=50 changed",
        "* small: main after round 33",
        "on branch main now",
        "round 3, step 1, round 2",
    ):
        assert words in " ".join(piped.stdout.split()) or words in piped.stdout, words
    assert re.search(r"welfare_usd: -12,299.* \| -12,360.*  \(-61\.\d+, known to \$0\.0\d*\)", piped.stdout)


def test_tables_fit_80_columns(piped):
    assert max(map(len, piped.stdout.splitlines())) <= 80


def test_every_command_has_been_tried():
    from gridbazaar.scenarios.stepping.shell import COMMANDS, Shell

    named = {line.split()[0] for line in EVERY_COMMAND.splitlines() if line and not line.startswith("#")}
    assert named == set(COMMANDS) == {name.removeprefix("do_") for name in vars(Shell) if name.startswith("do_")}


def test_a_file_of_commands_is_the_same(piped, tmp_path):
    file = tmp_path / "walk.txt"
    file.write_text(EVERY_COMMAND)
    assert step("", "--commands", str(file)).stdout == piped.stdout


FAILURES = {
    "unknown": ("step\nfoo\n", "stdin:2 foo: there is no command foo; known are step"),
    "near": ("stop\n", "stdin:1 stop: there is no command stop; did you mean step?"),
    "number": ("back x\n", "stdin:1 back x: 'x' is no number of rounds or periods; write: back [ROUNDS]"),
    "goal": ("run home\n", "there is no 'home' to run to; write clearing, agreed or settled"),
    "place": ("goto\n", "goto where? write a round (goto 12), or branch@round"),
    "switch": ("switch\n", "switch to which branch? `branches` lists them"),
    "no branch": ("switch m\n", "there is no branch m; known are main"),
    "condition": ("until\n", "until what? write a condition, such as: until voltage_min_pu < 0.95"),
    "name": ("step\nuntil foo < 1\n", "there is no foo; known are number"),
    "show": ("show p9\n", "there is no p9 to show; known are prices"),
    "why": ("why p1\n", "why where and when? write a prosumer, a link or a bus, and a period: why p1 19"),
    "diff": ("diff main\n", "diff what? write two rounds, branches, or branch@round: diff main 1"),
    "fork": ("fork market.oder=x\n", "market.oder: unknown key; did you mean order?"),
    "no value": ("fork x\n", "fork x: this is not a key and a value; write it like fork market.case=1"),
    "quotes": ("show 'p1\n", "cannot be read: No closing quotation; close the quotation marks"),
    "help": ("help stop\n", "there is no command stop; did you mean step?"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_what_cannot_be_done_is_one_sentence_and_what_came_before_is_done(what):
    text, sentence = FAILURES[what]
    done = step(text)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    if text.startswith("step\n"):
        assert "round 1, step 1" in done.stdout


def test_a_wrong_value_of_a_fork_is_told_as_one_of_a_fork():
    done = step("step\nfork prosumers.p2.elastic_max_kw=[1\n")
    assert "fork prosumers.p2.elastic_max_kw=[1" in done.stderr
    assert "--set" not in done.stderr


def test_beyond_the_end_there_is_no_round_and_it_says_so():
    done = step("goto 99\ngoto main@43\ngoto main@44\n")
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if "there is no round" in line]
    assert told == [f"the run has ended at round 43; there is no round {round_}" for round_ in (99, 44)]


def test_a_file_that_cannot_be_read():
    done = step("", "--commands", "nothing.txt")
    assert done.returncode == 2
    assert "--commands nothing.txt: this file cannot be read: No such file or directory" in done.stderr


def test_the_names_of_conditions_are_listed():
    assert "names: number, iteration, primal_kw" in step("help until\n").stdout


def test_ctrl_c_ends_a_pipe_after_the_round_under_way():
    endless = {"method": "plain", "max_rounds": "1000000", "primal_tolerance_kw": "1e-300"}
    words = [word for key, value in endless.items() for word in ("--set", f"market.{key}={value}")]
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write("step\nuntil round > 900000\nshow\n")
    process.stdin.close()
    assert process.stdout.readline().startswith("ieee33: round 1, ")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    told = process.stderr.read()
    assert process.wait(20) == 130
    assert "Traceback" not in told
    process.stdout.close()
    process.stderr.close()


class Terminal:
    """A pseudo-terminal of 80 columns with `gridbazaar step` in it."""

    def __init__(self, *words: str) -> None:
        self.fd, theirs = pty.openpty()
        size = {"COLUMNS": "80", "LINES": "40", "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            [*COMMAND, *words], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **size}, close_fds=True
        )
        os.close(theirs)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def until(self, words: str, within_s: float = 60.0) -> str:
        """Read until these words have been shown; what was shown since those of the last time."""
        end, shown = time.monotonic() + within_s, self.seen
        while words not in shown:
            assert time.monotonic() < end, f"{words!r} was not shown:\n{shown}"
            if select.select([self.fd], [], [], 0.2)[0]:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
                shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen)
        self.seen = shown[shown.index(words) + len(words) :]  # what follows may have come with them
        return shown


def test_a_conversation_on_a_terminal():
    terminal = Terminal()
    terminal.until("main@0>")
    terminal.type("step 3\r")
    terminal.until("main@3>")
    terminal.type("foo\r")
    terminal.until("there is no command foo")
    terminal.until("main@3>")  # it goes on
    terminal.type("bra\t")
    terminal.until("branches")  # completed
    terminal.type("\r")
    terminal.until("* main (3 rounds known)")
    terminal.type("\x1b[A\x1b[A\x1b[A\r")  # three up: step 3
    terminal.until("main@6>")
    terminal.type("fork alpha_scale=2\r")
    terminal.until("fork1@6>")
    terminal.type("\x03")  # Ctrl-C leaves a line, not the session
    terminal.type("show history 1\r")
    terminal.until("rounds, the newest last")
    terminal.type("\r")
    terminal.until("fork1@6>")
    terminal.type("\x04")  # Ctrl-D leaves
    assert terminal.process.wait(20) == 0
    os.close(terminal.fd)


def test_ctrl_c_ends_what_is_going_on_and_not_the_session():
    terminal = Terminal(
        "--set", "market.order=jacobi", "--set", "market.max_rounds=100000", "--set", "market.regret_tolerance=1e-12"
    )
    terminal.until("main@0>")
    terminal.type("until number > 90000\r")
    time.sleep(2.0)
    terminal.type("\x03")
    shown = terminal.until("> ")
    assert "Traceback" not in shown
    terminal.type("quit\r")
    assert terminal.process.wait(20) == 0
    os.close(terminal.fd)


def test_help_needs_nothing_heavy(tmp_path: Path):
    code = "import sys; sys.argv = ['gridbazaar', 'step', '-h']\nfrom gridbazaar.scenarios.__main__ import main\n"
    code += "try: main()\nexcept SystemExit: print('prompt_toolkit' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "False False"
