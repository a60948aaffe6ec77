"""The page's server as the command starts it, and a tab of a browser that looks at it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "gridbazaar.scenarios")


@dataclass(frozen=True)
class Served:
    """The command that serves the page, and where that is."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Served]:
    """The page of a scenario: `gridbazaar view` with these words in that folder, ended by Ctrl-C."""
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}  # NiceGUI listens to it
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        [*COMMAND, "view", *words, "--no-browser"], cwd=folder, env=quiet, text=True, **pipes
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.fullmatch(r"gridbazaar view: (http://127\.0\.0\.1:\d+) \(Ctrl-C ends it\)\n", told)
        assert found, told + (process.stderr.read() if process.stderr and process.poll() is not None else "")
        try:
            yield Served(process, found[1])
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")


class Tab:
    """A tab of the browser, and all that it complains of or asks elsewhere for."""

    def __init__(self, browser: Any, served: Served) -> None:
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.complaints: list[str] = []
        self.told: list[str] = []
        begun = time.monotonic()
        self.elsewhere: list[str] = []
        self.page.route(lambda url: not url.startswith(served.address), self._refuse)
        self.page.on("console", lambda said: self.told.append(f"{time.monotonic() - begun:.1f} s: {said.text}"))
        self.page.on("framenavigated", lambda frame: self.told.append(f"{time.monotonic() - begun:.1f} s: {frame.url}"))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(served.address)
        self.wait(lambda: self.text("standing").startswith("round 0, nobody has acted yet"))

    def _refuse(self, route: Any) -> None:
        self.elsewhere.append(route.request.url)
        route.abort()

    def text(self, name: str) -> str:
        """What an element says."""
        return str(self.page.get_by_test_id(name).first.text_content() or "")

    def press(self, name: str) -> None:
        self.page.get_by_test_id(name).first.click()

    def wait(self, reached: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, (
                f"it did not come to that; {self.told}; page: {self.page.inner_text('body')[:1000]!r}"
            )
            self.page.wait_for_timeout(20)

    def go(self, name: str, reached: str) -> None:
        """Press a button and wait until the market stands somewhere, and nothing is computed any more."""
        self.press(name)
        self.wait(lambda: re.search(reached, self.text("standing")) and self.is_free())

    def is_free(self) -> bool:
        return bool(self.page.get_by_test_id("stop").is_disabled())

    def choose(self, name: str, option: str) -> None:
        self.page.get_by_test_id(name).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.wait(lambda: not self.page.get_by_role("option").count())  # as it goes the list takes the focus
        self.wait(self.is_free)

    def rows(self, name: str) -> list[list[str]]:
        """The cells of a table, head first."""
        script = "t => [...t.querySelectorAll('tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"
        return list(self.page.get_by_test_id(name).evaluate(script))

    def close(self) -> None:
        assert self.complaints == []
        assert self.elsewhere == []
        self.page.context.close()
