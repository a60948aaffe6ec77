"""A page in a real browser, cut off from the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class OpenedPage:
    """A page, every address that it has asked for, and what it has told the console."""

    page: Any
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def asked_outside(self) -> list[str]:
        return [url for url in self.asked if not url.startswith(("file:", "data:"))]

    def width(self) -> tuple[int, int]:
        """How wide the page is, and how wide the window."""
        wide, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return wide, window


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; who has none skips the test, but for CI."""
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail("CI must install chromium")
        pytest.skip("no chromium here: .ci/run installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(file: Path, width: int = 1280) -> Iterator[OpenedPage]:
    """Open a file in a browser."""
    with chromium() as browser:
        found = OpenedPage(browser.new_context(offline=True, viewport={"width": width, "height": 900}).new_page())
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.on("console", lambda message: found.told.append(message.text))
        found.page.on("pageerror", lambda error: found.told.append(str(error)))
        found.page.goto(file.as_uri())
        yield found
