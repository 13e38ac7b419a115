"""What firebase.json says: ports, Firestore's rules; the rewrites, headers and files of hosting.

First match wins, in Firebase's order: a file that exists, then the rewrites, then 404.html; but who
would rather have JSON, or asks where a function's paths begin, is answered in the error model.
Settings this host does not support are refused by name; it must never serve anything outside the
public folder.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Response

from emulator import Refused, files, wire

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FILE = "firebase.json"
LOST = "404.html"
SERVED = {"public", "ignore", "headers", "rewrites"}
DEPLOY_ONLY = {"site", "target", "predeploy", "postdeploy"}
PARTS = re.compile(r"/\*\*/|\*\*|\*|@\([^()]*\)|[?\[\]{}!+@()]|[^*?\[\]{}!+@()/]+|/")


@dataclass(frozen=True)
class Rewrite:
    """Where paths that match go: to a function, or to a file."""

    match: re.Pattern[str]
    root: str  # the first segment of its source
    function: str | None
    destination: str | None


@dataclass(frozen=True)
class Site:
    """What firebase.json says of hosting."""

    public: Path | None
    ignore: tuple[re.Pattern[str], ...]
    headers: tuple[tuple[re.Pattern[str], tuple[tuple[str, str], ...]], ...]
    rewrites: tuple[Rewrite, ...]


def read(root: Path, known: Callable[[str], bool]) -> Site:
    """Read firebase.json; `known` says which functions a rewrite may name."""
    with files.formed(root / FILE):
        return _read(root, known)


def _read(root: Path, known: Callable[[str], bool]) -> Site:
    config = _firebase(root).get("hosting") or {}
    if not isinstance(config, dict):
        raise Refused("firebase.json: several hosting sites are not supported here, only one.")
    _only("hosting", config, SERVED | DEPLOY_ONLY)
    return Site(
        public=(root / config["public"]).resolve() if "public" in config else None,
        ignore=tuple(glob(source) for source in config.get("ignore", [])),
        headers=tuple(_headers(row) for row in config.get("headers", [])),
        rewrites=tuple(_rewrite(row, known) for row in config.get("rewrites", [])),
    )


def ports(root: Path) -> dict[str, int]:
    """Read the port of each emulator that firebase.json gives one."""
    with files.formed(root / FILE):
        rows = (_firebase(root).get("emulators") or {}).items()
        found = {n: row["port"] for n, row in rows if isinstance(row, dict) and "port" in row}
    for name, port in found.items():
        if type(port) is not int or not 0 <= port < 1 << 16:
            raise Refused(f"firebase.json: emulators.{name}.port must be a number.")
    return found


def rules(root: Path) -> Path | None:
    """Give the file of Firestore's security rules; without rules any web page may read it all."""
    with files.formed(root / FILE):
        named = (_firebase(root).get("firestore") or {}).get("rules")
        path = root / named if named else None
    if path and not path.is_file():
        raise Refused(f"firebase.json: there is no file of rules {named!r}.")
    return path


def glob(source: str) -> re.Pattern[str]:
    """Compile Firebase's globs: `*` within a segment, `**` across, `@(a|b)` one of."""
    pattern = ""
    for part in PARTS.findall(source if source.startswith("/") else "/" + source):
        if part == "/**/":
            pattern += "/(?:.*/)?"
        elif part in {"**", "*"}:
            pattern += ".*" if part == "**" else "[^/]*"
        elif part.startswith("@("):
            pattern += f"(?:{'|'.join(map(re.escape, part[2:-1].split('|')))})"
        elif part in "?[]{}!+@()":
            raise Refused(f"firebase.json: {part!r} in {source!r} is not supported here.")
        else:
            pattern += re.escape(part)
    return re.compile(pattern)


def app(site: Site, function: Callable[[str], "WSGIApplication"]) -> "WSGIApplication":
    """Make the hosting port's app."""

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        path = str(environ["PATH_INFO"]).encode("latin-1").decode(errors="replace")
        extra = [pair for match, pairs in site.headers if match.fullmatch(path) for pair in pairs]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            own = {name.lower() for name, _ in headers}
            added = [pair for pair in extra if pair[0].lower() not in own]
            return start_response(status, headers + added, exc_info)

        return _route(site, path, environ, function)(environ, start)

    return serve


def _route(
    site: Site, path: str, environ: "WSGIEnvironment", function: Callable[[str], "WSGIApplication"]
) -> "WSGIApplication":
    if found := _file(site, path, environ):
        return found
    for rewrite in site.rewrites:
        if rewrite.match.fullmatch(path):
            if rewrite.function:
                environ["reprieve.function"] = rewrite.function
                return function(rewrite.function)
            return _file(site, str(rewrite.destination), environ) or _lost(site, path, environ)
    return _lost(site, path, environ)


def _file(site: Site, path: str, environ: "WSGIEnvironment") -> Response | None:
    if site.public is None or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return None
    path = path + "index.html" if path.endswith("/") else path
    if any(pattern.fullmatch(path) for pattern in site.ignore):
        return None
    try:
        # A file is served whole: a server may ignore Range (RFC 9110, section 14.2).
        whole = {name: value for name, value in environ.items() if name != "HTTP_RANGE"}
        found = send_from_directory(site.public, path.lstrip("/"), whole)
    except NotFound:
        return None
    if found.status_code == 412:
        found.close()
        return wire.error(412, "precondition_failed", "The file is another one.")
    return found


def _lost(site: Site, path: str, environ: "WSGIEnvironment") -> Response:
    """Answer what nothing matches: with the site's page for it, to who reads pages."""
    page = site.public / LOST if site.public else None
    asked = parse_accept_header(environ.get("HTTP_ACCEPT"), MIMEAccept)
    if (
        environ["REQUEST_METHOD"] not in {"GET", "HEAD"}
        or asked.best_match(["application/json", "text/html"]) != "text/html"
        or any(rewrite.function and rewrite.root == _root(path) for rewrite in site.rewrites)
        or not (page and page.is_file())
    ):
        return wire.not_found()
    fresh = {"Cache-Control": "no-cache", "Vary": "Accept"}
    return Response(page.read_bytes(), 404, fresh, mimetype="text/html")


def _root(path: str) -> str:
    return path.lstrip("/").partition("/")[0]


def _firebase(root: Path) -> dict[str, Any]:
    try:
        found = json.loads((root / FILE).read_text())
    except FileNotFoundError:
        return {}
    except ValueError as problem:
        raise Refused(f"firebase.json is no JSON: {problem}") from None
    return found if isinstance(found, dict) else {}


def _rewrite(row: dict[str, Any], known: Callable[[str], bool]) -> Rewrite:
    _only("rewrites", row, {"source", "glob", "function", "destination"})
    target = row.get("function")
    if isinstance(target, dict):
        _only("rewrites.function", target, {"functionId", "region", "pinTag"})
        target = target.get("functionId")
    source = row.get("source") or row.get("glob")
    if not source or (target is None) == ("destination" not in row):
        raise Refused("firebase.json: a rewrite needs a source and one function or destination.")
    if target is not None and not known(target):
        raise Refused(
            f"firebase.json: the rewrite of {source!r} names no public function {target}."
        )
    return Rewrite(glob(source), _root(source), target, row.get("destination"))


def _headers(row: dict[str, Any]) -> tuple[re.Pattern[str], tuple[tuple[str, str], ...]]:
    _only("headers", row, {"source", "glob", "headers"})
    pairs = tuple((pair["key"], pair["value"]) for pair in row["headers"])
    return glob(row.get("source") or row["glob"]), pairs


def _only(where: str, row: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(row.keys() - known):
        raise Refused(f"firebase.json: {where}.{unknown[0]} is not supported here.")
