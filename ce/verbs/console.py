"""What `open` does: sign a browser in to the console, as the key in use, which it never sees.

The code is in nobody's arguments, for other users can read those: it is in a 0600 file that the
browser is told to open, and that forwards to the console. Who runs `open` waits beside it until the
code is used, its minute is over, or Enter or Ctrl-C ends the wait; then the file is removed. What a
killed one left the next one removes.
"""

import html
import os
import re
import select
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ce.call import Call
from ce.server import Doc, Failure, files
from ce.text import emit, spinner
from ce.verbs.dialog import say, tell

CODES, LOOK = "/v1/signin_codes", "/identity/signin_code"
OWN_KEY = "/v1/apikeys/self"
CODE = re.compile(r"[A-Za-z0-9_-]{43}")
PAGES = re.compile(r"[0-9a-f]{16}\.html")  # the names of the pages here; all else is not ours
LIFE, PAUSE, EACH = 60, 0.25, 8  # seconds of a code and of a pause; pauses between two looks
SURE = LIFE - 5  # seconds in which a code that is gone was used, and cannot have expired
LOOKS = 4  # seconds that one look may take: Enter is heard after it
TAKES = 5  # seconds an opener has to say that it cannot
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
OLDER = "{url} does not make sign-in codes: it is older than this 'ce', or has no console."
NOWHERE = (
    "There is no browser to open from here: no display, and none named by BROWSER. 'ce open "
    "--print' prints the address: paste it into a browser within 60 s."
)
UNOPENED = (
    "The browser could not be opened. 'ce open --print' prints the address: paste it into a "
    "browser within 60 s."
)
UNUSED = "Nobody signed in within 60 s: the code has expired. Run 'ce open' again."
UNSURE = "The code's minute is over: where the browser is not signed in, run 'ce open' again."
MANY = "Five codes of this key are open, as many as may be: within a minute there is room again."
GONE = "The answer with the code was lost, again and again: run 'ce open' in a minute."
LINKED = "'{path}' is a link: remove it. The page that signs in lies in a folder of its own."
USED, LEFT = "Signed in.", "The wait is over; a page that is open can be used until the code ends."
# No script; the address is in an attribute, escaped. A file sends no `Referer` anyhow.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta http-equiv="refresh" content="0; url={address}">
<title>Reprieve: sign in</title>
<p>This page goes on to the console by itself. If it does not:
<a href="{address}" rel="noreferrer">open the console</a>, within a minute.</p>
</html>
"""


def sign_in(call: Call) -> Doc:
    """Open the console in the browser, or print the address; either is good once."""
    root = call.client.target.url.removesuffix("/v2")
    say(call, url=root)
    opener = None if call["print"] else _opener()
    _sweep()
    code = _made(call)
    call.client.changed = False  # a code ends by itself: nothing is to be looked for after Ctrl-C
    address = f"{root}/#/signin?code={code}"
    if opener is None:
        emit("Good once, within 60 s, for whoever has it: paste it into a browser.\n", error=True)
        emit(f"{address}\n")
        return {}
    with _page(address) as page:
        if not _opened(opener, page):
            raise Failure(UNOPENED)
        tell(call, "Click 'Sign in' there within 60 s. Enter ends the wait.\n")
        return {"remark": _waited(call, code)}


def _made(call: Call, tries: int = 3) -> str:
    """Make a code; one that was lost with its answer is let expire."""
    try:
        code = str(call.client.post(CODES, {}).get("code"))
    except Failure as failure:
        if failure.code == "already_made" and tries > 1:
            return _made(call, tries - 1)
        if failure.code in {"already_made", "quota_exceeded"}:
            raise Failure(GONE if failure.code == "already_made" else MANY) from None
        if failure.status not in {404, 405}:
            raise
        code = ""
    if not CODE.fullmatch(code):
        raise Failure(OLDER.format(url=call.client.target.url))
    return code


def _waited(call: Call, code: str) -> str:
    """Wait until the code is used, or for Enter; say which. Raises Failure once it is over.

    A code that was used and one that has expired are refused alike, so what is gone is told as used
    only while it cannot have expired, by both clocks (one stands still while a machine sleeps), and
    while the key itself is good: with a revoked key its codes end.
    """
    began, steady, looks = time.time(), time.monotonic(), 0
    with spinner("for the click in the browser", quiet=bool(call["quiet"])) as sleep:
        while (spent := max(time.time() - began, time.monotonic() - steady)) < LIFE:
            sleep(PAUSE)
            looks += 1
            if _entered():
                return LEFT
            # Whatever else it answers, it may answer otherwise in a moment.
            if looks % EACH == 0 and call.client.status_of(LOOK, {"code": code}, LOOKS) == 400:
                call.client.get(OWN_KEY)
                if spent < SURE:
                    return USED
                raise Failure(UNSURE)
    raise Failure(UNUSED)


def _entered() -> bool:
    """Tell whether Enter was pressed, on a terminal."""
    with suppress(OSError, ValueError):
        if sys.stdin.isatty() and select.select([sys.stdin], [], [], 0)[0]:
            sys.stdin.readline()
            return True
    return False


@contextmanager
def _page(address: str) -> Iterator[Path]:
    """Give a page that forwards to the address, its owner's alone, until the block ends."""
    page = _folder() / f"{os.urandom(8).hex()}.html"
    # A terminal that is closed ends the wait as Ctrl-C does.
    ends = {number: signal.signal(number, _end) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        files.write(page, PAGE.format(address=html.escape(address)))
        yield page
    finally:
        files.remove(page)
        for number, before in ends.items():
            signal.signal(number, before)


def _end(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _folder() -> Path:
    """Give the folder of the pages. Raises Failure for a link: what it leads to is another's."""
    folder = files.home() / "open"
    if folder.is_symlink():
        raise Failure(LINKED.format(path=folder))
    with suppress(OSError):
        folder.chmod(0o700)
    return folder


def _sweep() -> None:
    """Remove the pages of those that were killed; of another one that waits the page is young."""
    with suppress(OSError):
        for page in [*_folder().iterdir()]:
            with suppress(OSError):
                _removed_if_old(page)


def _removed_if_old(page: Path) -> None:
    """Remove a page of ours whose code is over; what has another name or form stays."""
    found = page.lstat()
    ours = PAGES.fullmatch(page.name) and stat.S_ISREG(found.st_mode)
    if ours and not 0 <= time.time() - found.st_mtime <= LIFE:
        page.unlink(missing_ok=True)


def _opener() -> list[str]:
    """Give the platform's command that opens a file, [] for Python's own way.

    Raises Failure where there is no display to open it on.
    """
    if sys.platform == "darwin":
        return ["open"]
    if sys.platform != "win32" and not any(os.environ.get(name) for name in DISPLAYS):
        raise Failure(NOWHERE)
    return ["xdg-open"] if shutil.which("xdg-open") else []


def _opened(opener: list[str], page: Path) -> bool:
    """Have the page opened; tell whether somebody took it. What a browser says is not shown."""
    import subprocess  # noqa: PLC0415 - slow to import, and not for `--print`
    import webbrowser  # noqa: PLC0415 - likewise

    if not opener:
        with suppress(webbrowser.Error):
            return webbrowser.get().open(page.as_uri())
        return False
    silent = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - the platform's own, and a path of ours
            [*opener, str(page)], stdin=silent, stdout=silent, stderr=silent, start_new_session=True
        )
        return process.wait(TAKES) == 0
    except OSError:
        return False
    except subprocess.TimeoutExpired:  # it became the browser
        return True
