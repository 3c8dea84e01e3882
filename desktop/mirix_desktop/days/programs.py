"""The real programs of a day: Chromium windows, a terminal, a text editor. Each tells where its marks stand.

Places are in pixels of the program's own window (pages) or of its inner part (terminal, editor); `render.py` moves them
to the screen and asks what stands before them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np
from PIL import Image

from mirix.errors import CaptureError
from mirix_desktop.days.screen import Placed, wait_until
from mirix_desktop.days.shapes import View, marks_in, plain
from mirix_desktop.shots import Box

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

_FLAGS = [
    "--no-sandbox",  # root and containers have none; all pages are our own
    "--test-type",  # no banner about --no-sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--password-store=basic",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,GlobalMediaControls",
]
_CARET_PX = 20
_PATIENCE_S = 15.0
_PREFERENCES = {"translate": {"enabled": False}, "browser": {"has_seen_welcome_page": True}}
# Every mark that is wholly inside the viewport and all panes that scroll: id, words, rectangle, letter height.
_PLACES = """() => {
  const found = [];
  for (const element of document.querySelectorAll("[data-m]")) {
    let [left, top, right, bottom] = [0, 0, innerWidth, innerHeight];
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
      if (getComputedStyle(at).overflowY === "visible") continue;
      const pane = at.getBoundingClientRect();
      [left, top] = [Math.max(left, pane.left), Math.max(top, pane.top)];
      [right, bottom] = [Math.min(right, pane.right), Math.min(bottom, pane.bottom)];
    }
    const range = document.createRange();
    range.selectNodeContents(element);
    const size = parseFloat(getComputedStyle(element).fontSize);
    const boxes = [...range.getClientRects()];
    if (boxes.every(b => b.left >= left && b.top >= top && b.right <= right && b.bottom <= bottom))
      for (const b of boxes)
        found.push([element.dataset.m, element.textContent, [b.left, b.top, b.right, b.bottom], size]);
  }
  return found;
}"""
# Two frames were drawn; then a moment for the window system.
_SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30))))"
_SCROLL = "to => { const p = document.getElementById('pane'); if (p) p.scrollTop = to < 0 ? p.scrollHeight : to; }"


class PageServer:
    """Serves pages to the browser by their whole address; all hosts of `.test` are led here."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self.pages))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, pages: Mapping[str, str], *args: object) -> None:
        self._pages = pages
        super().__init__(*args)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        body = self._pages.get(f"http://{self.headers['Host']}{unquote(self.path)}", "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what is served is invented and known."""


class Browser:
    """Chromium with windows of its own; a private one is a real private (incognito) window.

    Started by us and not by Playwright, whose flags and contexts make windows that no user has.
    """

    def __init__(self, playwright: Playwright, port: int, environment: Mapping[str, str], *, is_private: bool) -> None:
        self._profile = Path(tempfile.mkdtemp(prefix="mirix-day-"))
        (self._profile / "Default").mkdir()
        (self._profile / "Default" / "Preferences").write_text(json.dumps(_PREFERENCES), encoding="utf-8")
        flags = [*_FLAGS, f"--host-resolver-rules=MAP *.test 127.0.0.1:{port}", f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(
            ["chromium", *flags, "--remote-debugging-port=0", *["--incognito"] * is_private, "about:blank"],
            env=dict(environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        told = self._profile / "DevToolsActivePort"
        wait_until(lambda: told.exists() and "\n" in told.read_text(encoding="ascii"), "Chromium")
        address = told.read_text(encoding="ascii").splitlines()[0]
        self._browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{address}")
        self._context = self._browser.contexts[0]
        wait_until(lambda: bool(self._context.pages), "the first window of Chromium")
        self._unused: Page | None = self._context.pages[0]

    def open(self, place: Box) -> Page:
        """A new window at a place of the screen."""
        page, self._unused = self._unused, None
        session = self._context.new_cdp_session(page or self._context.pages[0])
        if page is None:
            with self._context.expect_page() as opened:
                session.send("Target.createTarget", {"url": "about:blank", "newWindow": True})
            page = opened.value
            session = self._context.new_cdp_session(page)
        window = session.send("Browser.getWindowForTarget")["windowId"]
        bounds = {"left": place[0], "top": place[1], "width": place[2] - place[0], "height": place[3] - place[1]}
        session.send("Browser.setWindowBounds", {"windowId": window, "bounds": bounds})
        return page

    def close(self) -> None:
        # Asked to, it ends when its helpers have: killed, they would write into a folder that is being removed.
        self._browser.new_browser_cdp_session().send("Browser.close")
        try:
            self._process.wait(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


def show_page(page: Page, url: str, scroll: int) -> list[Placed]:
    """Load an address; give where its marks stand, in pixels of the page's viewport."""
    page.goto(url, wait_until="load")
    page.evaluate(_SCROLL, scroll)
    page.evaluate(_SETTLED)
    return [
        (identity, words, (round(box[0]), round(box[1]), round(box[2]), round(box[3])), float(size))
        for identity, words, box, size in page.evaluate(_PLACES)
    ]


class Terminal:
    """An xterm that shows a shell session. The commands are really run, in a folder of their own."""

    columns, rows = 96, 25
    title = "bash"

    def __init__(self, place: tuple[int, int], environment: Mapping[str, str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mirix-day-"))
        pipe = self._folder / "pipe"
        os.mkfifo(pipe)
        self._process = subprocess.Popen(
            ["xterm", "-T", self.title, "-fa", "DejaVu Sans Mono", "-fs", "11", "-bg", "#1b1e24", "-fg", "#d8dbe0",
             "-geometry", f"{self.columns}x{self.rows}+{place[0]}+{place[1]}", "-e", "cat", str(pipe)],
            env=dict(environment),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        # Open to read as well: else this would wait for ever for an xterm that does not start.
        self._pipe = os.fdopen(os.open(pipe, os.O_RDWR), "w", encoding="utf-8")
        self._lines: list[str] = []
        self._done: list[str] = []
        self._work = self._folder / "none"
        self._prompt("~/work")

    def _prompt(self, folder: str) -> None:
        self._lines.append(f"{folder}$ ")
        self._pipe.write(self._lines[-1])
        self._pipe.flush()

    def show(self, view: View, cell: tuple[int, int, int]) -> tuple[list[Placed], bool]:
        """Run what the view has and the window has not yet; give the marks in its pixels, and if it changed."""
        commands = [plain(str(each)) for each in _texts(view.data["commands"])]
        if commands[: len(self._done)] != self._done:
            self._done = []
        if not self._done:
            self._begin(view)
        for command in commands[len(self._done) :]:
            self._run(command)
        has_news = commands != self._done
        self._done = commands
        return self._places(view, cell), has_news

    def _begin(self, view: View) -> None:
        self._work = self._folder / f"work{len(list(self._folder.iterdir()))}"
        self._work.mkdir()
        files = view.data["files"]
        assert isinstance(files, Mapping)
        for name, text in files.items():
            (self._work / name).write_text(plain(text), encoding="utf-8")
            (self._work / name).chmod(0o755 if str(name).endswith(".sh") else 0o644)

    def _run(self, command: str) -> None:
        if command == "clear":
            self._lines = [""]
            self._pipe.write("\033[H\033[2J")
        else:
            settings = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "COLUMNS": str(self.columns)}
            done = subprocess.run(
                ["/bin/sh", "-c", command], cwd=self._work, env=settings, capture_output=True, text=True, check=False
            )
            output = (done.stdout + done.stderr).splitlines()
            self._lines[-1] += command
            self._lines += output
            self._pipe.write(command + "\n" + "".join(line + "\n" for line in output))
            self._lines.append("")
        self._lines.pop()
        self._prompt("~/work")

    def _places(self, view: View, cell: tuple[int, int, int]) -> list[Placed]:
        border, width, height = cell
        shown = self._lines[-self.rows :]
        placed: list[Placed] = []
        for identity, words in dict(marks_in(view.data)).items():
            pattern = re.compile(rf"(?<![\w.-]){re.escape(words)}(?![\w-]|\.\d)")
            for row, line in enumerate(shown):
                for found in pattern.finditer(line):
                    left, top = border + found.start() * width, border + row * height
                    box = left, top, left + len(words) * width, top + height
                    placed.append((identity, words, box, height * 0.75))
        return placed

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Notes:
    """Mousepad with a text file that is typed into."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mirix-day-"))
        file = self._folder / "todo.txt"
        file.touch()
        settings = self._folder / "glib-2.0" / "settings" / "keyfile"
        settings.parent.mkdir(parents=True)
        settings.write_text("[org/xfce/mousepad/preferences/window]\npath-in-title=false\n", encoding="utf-8")
        self._environment = {
            **environment,
            "HOME": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder),
            "GSETTINGS_BACKEND": "keyfile",
            "NO_AT_BRIDGE": "1",
        }
        self._process = subprocess.Popen(
            ["mousepad", "--disable-server", str(file)], env=self._environment, stderr=subprocess.DEVNULL
        )
        self._written: list[str] = []

    def show(self, view: View) -> None:
        """Type the lines that are new; the window has the keyboard."""
        lines = [plain(line) for line in _texts(view.data["lines"])]
        for line in lines[len(self._written) :]:
            if self._written:
                self._key("key", "Return")
            if line:
                self._key("type", "--delay", "2", "--", line)
            self._written.append(line)
        self._key("key", "ctrl+s")

    def _key(self, *command: str) -> None:
        subprocess.run(["xdotool", *command], env=self._environment, check=True, stderr=subprocess.DEVNULL)

    def places(self, view: View, image: Image.Image) -> list[Placed]:
        """Marks in pixels of the window's picture: below the menu, bands of ink are the lines that are not empty."""
        marked = [line for line in _texts(view.data["lines"]) if line]
        grey = np.asarray(image.convert("L"), dtype=np.int16)
        white = np.flatnonzero((grey[:, -40:-20] == 255).all(axis=1))
        head, foot = (int(white[0]), int(white[-1])) if white.size else (0, 0)
        bands = text_lines(grey[head:foot])
        if len(bands) != len(marked):
            raise CaptureError(f"of {len(marked)} lines of the notes {len(bands)} were found: is its font a usual one?")
        placed: list[Placed] = []
        for line, (left, top, right, bottom) in zip(marked, bands, strict=True):
            width = (right - left) / len(plain(line))
            for identity, words in marks_in(line):
                start = plain(line).index(words)
                right_end = round(left + (start + len(words)) * width) + 1
                box = round(left + start * width), head + top, right_end, head + bottom
                placed.append((identity, words, box, float(bottom - top)))
        return placed

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def text_lines(grey: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> list[Box]:
    """The boxes of ink on a plain ground, band by band from the top."""
    ink = np.abs(grey - int(np.median(grey))) > 60
    # The caret is as tall as a line and would tie it to the one above; no letter is.
    for row, column in np.argwhere(np.lib.stride_tricks.sliding_window_view(ink, _CARET_PX, axis=0).all(axis=-1)):
        ink[row : row + _CARET_PX, column] = False
    rows = np.flatnonzero(ink.any(axis=1))
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 2) + 1) if rows.size else []
    boxes: list[Box] = []
    for group in groups:
        columns = np.flatnonzero(ink[group[0] : group[-1] + 1].any(axis=0))
        boxes.append((int(columns[0]), int(group[0]) - 2, int(columns[-1]) + 1, int(group[-1]) + 3))
    return boxes


def _texts(value: object) -> Sequence[str]:
    assert isinstance(value, Sequence)
    return [str(each) for each in value]
