"""Whom to ask, and which project is selected.

A target is the environment's, else the active profile's, else the local emulator's. What names a
target and is broken is an error: `ce` never falls through to another one. Only the selection is
written here, one 0600 file a target; a login is read and never touched.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ce.server import addresses, files, profiles
from ce.server.failure import NOT_LOGGED_IN, Failure

home = files.home

VARIABLES = ("CODE_ENGINE_URL", "CODE_ENGINE_APIKEY", "CODE_ENGINE_AUTH_URL")
UNSET = f"run 'unset {' '.join(VARIABLES)}'"
HTTPS = "give https in CODE_ENGINE_URL and CODE_ENGINE_AUTH_URL"
ENVIRONMENT, PROFILE, EMULATOR, ASKED = "environment", "profile", "emulator", "login"
# For each source of a target: what it is called, and what to do where its key is not known.
SOURCES = {
    ENVIRONMENT: (
        "the environment (CODE_ENGINE_URL)",
        f"Set CODE_ENGINE_APIKEY to a key that the server knows, or {UNSET}.",
    ),
    PROFILE: ("profile '{profile}'", "Run 'ce login' with a key that the server knows."),
    EMULATOR: (
        "the local emulator",
        (
            "Start the emulator anew, which gives it its key again: 'ce emulator stop', then "
            "'ce emulator start'."
        ),
    ),
    ASKED: (
        "'ce login'",
        "Nothing was stored: check the key and the address, and run 'ce login' again.",
    ),
}


@dataclass(frozen=True)
class Target:
    """An API, where its tokens come from, and the key to get one."""

    url: str
    auth_url: str
    apikey: str = field(repr=False)
    source: str = field(default=ENVIRONMENT, compare=False)
    profile: str = field(default="", compare=False)
    region: str = field(default="", compare=False)
    group: str = field(default="", compare=False)
    account: str = field(default="", compare=False)

    @property
    def selection(self) -> Path:
        """The file of this target's selected project; another account or login never shares it."""
        where = urlsplit(self.url)
        # Without the port: a local host may move to another one when it starts again. With the
        # profile: leaving one must not forget what its neighbour on the same key selected.
        parts = filter(None, (f"{where.hostname}{where.path}", self.apikey, self.profile))
        identity = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return home() / "selected" / f"{identity[:32]}.json"

    @property
    def origin(self) -> str:
        """What it comes from, in words."""
        return SOURCES[self.source][0].format(profile=self.profile)

    @property
    def key(self) -> str:
        """The key as it may be sent. Raises Failure for what is none: it may be another's."""
        name = f"What {self.origin} has"
        if self.source == ENVIRONMENT:
            name = "CODE_ENGINE_APIKEY"
        elif self.source == ASKED:
            name = "What was given"
        return addresses.key(self.apikey, name, urlsplit(self.auth_url).hostname or "")

    @property
    def remedy(self) -> str:
        """What to do where the server does not know the key."""
        return SOURCES[self.source][1]


def current(region: str = "") -> Target:
    """Find whom to ask, in another region if one is named, or say how to log in."""
    found = _from_environment() or _from_profile(region) or _from_emulator()
    if found is None:
        raise Failure(
            "Not logged in, and no local emulator is running: run 'ce emulator start', "
            "'ce login --url URL', or set CODE_ENGINE_URL and CODE_ENGINE_APIKEY.",
            exit_code=NOT_LOGGED_IN,
        )
    return found


def selected(where: Target) -> dict[str, str] | None:
    """Return id and name of the selected project."""
    found = files.read(where.selection)
    return found if found and {"id", "name"} <= found.keys() else None


def select(where: Target, project: Mapping[str, str] | None) -> None:
    """Store the selection, whole or not at all; None forgets it."""
    if project is None:
        files.remove(where.selection)
        return
    files.write(where.selection, json.dumps({"id": project["id"], "name": project["name"]}))


def of_profile(name: str, profile: profiles.Profile, source: str = PROFILE) -> Target:
    """Give the target of a profile."""
    url, auth_url = profile.placed(profile.url), profile.placed(profile.auth_url)
    return _target(
        url,
        auth_url,
        profile.apikey,
        source=source,
        profile=name,
        region=profile.region,
        group=profile.resource_group,
        account=profile.account,
    )


def overridden() -> str:
    """Tell that the environment goes before what was just written; "" where it does not."""
    if not os.environ.get("CODE_ENGINE_URL", "").strip():
        return ""
    return f"Note: CODE_ENGINE_URL is set and goes before every login: {UNSET}.\n"


def _from_environment() -> Target | None:
    url, apikey, auth_url = (
        addresses.trimmed(os.environ.get(name, ""), name) for name in VARIABLES
    )
    if not url:
        return None
    if not apikey:
        raise Failure(
            "CODE_ENGINE_URL is set and CODE_ENGINE_APIKEY is not: set it, or unset the URL.",
            exit_code=NOT_LOGGED_IN,
        )
    return _target(url, auth_url, apikey)


def _from_profile(region: str) -> Target | None:
    name = profiles.active()
    if name is None:
        return None
    profile = profiles.load(name)
    if not profile.apikey:
        raise Failure(
            f"Profile '{name}' is logged out: 'ce login' logs in to it again, "
            "'ce logout' leaves it.",
            exit_code=NOT_LOGGED_IN,
        )
    # An address without a place for a region serves one, whatever is asked for.
    return of_profile(name, profile.at(region) if profiles.PLACE in profile.url else profile)


def _from_emulator() -> Target | None:
    state = home() / "emulator"
    hub, credentials = files.read(state / "hub.json"), files.read(state / "credentials.json")
    where, apikey = (hub or {}).get("hosting"), (credentials or {}).get("apikey")
    if not credentials or not isinstance(where, str) or not isinstance(apikey, str):
        return None
    account = str(credentials.get("account_id", ""))
    return _target(f"{where}/v2", where, apikey, source=EMULATOR, account=account)


def _target(url: str, auth_url: str | None, apikey: str, **about: str) -> Target:
    url = addresses.versioned(url)
    # Not the SDK's default, iam.cloud.ibm.com: a key of one's own host is nobody else's business.
    auth = (auth_url or url.removesuffix("/v2")).rstrip("/").removesuffix("/identity/token")
    remedy = HTTPS if about.get("source", ENVIRONMENT) == ENVIRONMENT else profiles.REMEDY
    for address, name in ((url, "CODE_ENGINE_URL"), (auth, "CODE_ENGINE_AUTH_URL")):
        addresses.checked(address, name, remedy)
    return Target(url, auth, apikey, **about)
