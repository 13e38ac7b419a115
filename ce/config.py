"""Whom to ask, and which project is selected.

A target is the environment's, else the logged-in profile's, else the local emulator's. Only the
selection is ever written, one 0600 file a target; a login is read here and never touched.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ce.failure import NOT_LOGGED_IN, Failure


@dataclass(frozen=True)
class Target:
    """An API, where its tokens come from, and the key to get one."""

    url: str
    auth_url: str
    apikey: str = field(repr=False)
    local: bool = False

    @property
    def selection(self) -> Path:
        """The file of this target's selected project; another account never shares it."""
        where = urlsplit(self.url)
        # Without the port: a local host may move to another one when it starts again.
        name = f"{where.hostname}{where.path}\0{self.apikey}"
        identity = hashlib.sha256(name.encode()).hexdigest()
        return home() / "selected" / f"{identity[:32]}.json"


def home() -> Path:
    """Return the folder of everything `ce` keeps."""
    if given := os.environ.get("CE_HOME"):
        return Path(given).expanduser()
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "ce"


def target() -> Target:
    """Find whom to ask, or say how to log in."""
    found = _from_environment() or _from_profile() or _from_emulator()
    if found is None:
        raise Failure(
            "Not logged in, and no local emulator is running: run 'ce emulator start', "
            "or set CODE_ENGINE_URL and CODE_ENGINE_APIKEY.",
            exit_code=NOT_LOGGED_IN,
        )
    return found


def selected(where: Target) -> dict[str, str] | None:
    """Return id and name of the selected project."""
    return _read(where.selection)


def select(where: Target, project: Mapping[str, str] | None) -> None:
    """Store the selection, whole or not at all; None forgets it."""
    path = where.selection
    if project is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    import tempfile  # noqa: PLC0415 - slow to import

    # mkstemp makes the file 0600.
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"id": project["id"], "name": project["name"]}, file)
    Path(temporary).replace(path)


def _from_environment() -> Target | None:
    url = os.environ.get("CODE_ENGINE_URL")
    if not url:
        return None
    apikey = os.environ.get("CODE_ENGINE_APIKEY")
    if not apikey:
        raise Failure(
            "CODE_ENGINE_URL is set and CODE_ENGINE_APIKEY is not: set it, or unset the URL.",
            exit_code=NOT_LOGGED_IN,
        )
    return _target(url, os.environ.get("CODE_ENGINE_AUTH_URL"), apikey)


def _from_profile() -> Target | None:
    active = home() / "active"
    try:
        name = active.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    profile = _read(home() / "profiles" / f"{Path(name).name}.json")
    if profile is None:
        return None
    return _target(profile["url"], profile.get("auth_url"), profile["apikey"])


def _from_emulator() -> Target | None:
    state = home() / "emulator"
    hub, credentials = _read(state / "hub.json"), _read(state / "credentials.json")
    if not hub or not credentials:
        return None
    return _target(f"{hub['hosting']}/v2", hub["hosting"], credentials["apikey"], local=True)


def _target(url: str, auth_url: str | None, apikey: str, *, local: bool = False) -> Target:
    url = url.rstrip("/")
    # Not the SDK's default, iam.cloud.ibm.com: a key of one's own host is nobody else's business.
    auth = (auth_url or url.removesuffix("/v2")).rstrip("/").removesuffix("/identity/token")
    return Target(url, auth, apikey, local)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
