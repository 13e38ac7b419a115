"""Logins of the user's own: a profile is one 0600 file, and a name in `active` picks one.

Only `ce login`, `logout`, `target` and `profile` write them. No error shows what a file holds: an
API key is in it.
"""

import errno
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ce.server import addresses, files
from ce.server.failure import NOT_LOGGED_IN, USAGE, Failure
from ce.text import emit

DEFAULT = "default"
REMEDY = "give https with 'ce login --url'"
PLACE = "{region}"  # what stands in an address for the region
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a label of a host name


@dataclass(frozen=True)
class Profile:
    """Where a login goes: addresses, which may hold `{region}`, and what is targeted there."""

    url: str
    auth_url: str = ""
    region: str = ""
    resource_group: str = ""
    account: str = ""
    apikey: str = field(default="", repr=False)

    def at(self, region: str) -> "Profile":
        """Give the profile with another region; "" is the one it has.

        Raises Failure for what is no label of a host name: the key goes where it says.
        """
        if region and not REGION.fullmatch(region):
            raise Failure(
                "--region is not the name of a region, such as us-south.", exit_code=USAGE
            )
        return replace(self, region=region) if region else self

    def placed(self, url: str) -> str:
        """Give an address in the profile's region. Raises Failure if it would expose the key."""
        placed = url.replace(PLACE, self.region)
        return addresses.checked(placed, "What the profile has", REMEDY) if placed else ""


def active() -> str | None:
    """Return the name of the profile in use."""
    try:
        name = files.text(files.home() / "active").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        name = ""
    if not NAME.fullmatch(name):
        raise Failure(
            f"{files.home() / 'active'} does not name a profile: 'ce profile use NAME' writes it "
            "anew, 'ce profile list' shows what there is.",
            exit_code=NOT_LOGGED_IN,
        )
    return name


def activate(name: str | None) -> None:
    """Use a profile from now on; None is none."""
    path = files.home() / "active"
    if name is None:
        files.remove(path)
    else:
        files.write(path, f"{name}\n")


def names() -> list[str]:
    """List the profiles there are."""
    found = (path.name.removesuffix(".json") for path in _folder().glob("*.json"))
    return sorted(name for name in found if NAME.fullmatch(name))


def load(name: str) -> Profile:
    """Read a profile. Raises Failure, with what mends it; warns if others can read it."""
    path = _path(name)
    try:
        text = files.text(path)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise Failure(
            f"There is no profile '{name}': 'ce login --profile {name} --url URL' makes it, "
            "'ce profile list' shows those there are.",
            exit_code=NOT_LOGGED_IN,
        ) from None
    except OSError as error:
        mend = f"run 'chmod 600 {path}'" if error.errno == errno.EACCES else f"see {path}"
        raise Failure(
            f"Cannot read profile '{name}' ({error.strerror}): {mend}.",
            exit_code=NOT_LOGGED_IN,
        ) from None
    except ValueError:
        raise _damaged(name) from None
    if mode & 0o077:
        emit(
            f"Warning: others may read the API key in {path}: run 'chmod 600 {path}'.\n",
            error=True,
        )
    return _parsed(name, text)


def save(name: str, profile: Profile) -> None:
    """Write a profile."""
    files.write(_path(name), json.dumps(asdict(profile), indent=2) + "\n")


def forget(name: str) -> None:
    """Remove a profile, in whatever state; the name of the one in use stays as it is."""
    files.remove(_path(name))


def exists(name: str) -> bool:
    """Tell whether there is a profile of this name, in whatever state."""
    return _path(name).exists()


def _parsed(name: str, text: str) -> Profile:
    try:
        found = json.loads(text)
        profile = Profile(**{key: found.get(key) or "" for key in Profile.__dataclass_fields__})
        sound = (
            all(isinstance(value, str) for value in asdict(profile).values())
            and urlsplit(profile.url.replace(PLACE, "x")).hostname
            and (not profile.region or REGION.fullmatch(profile.region))
        )
    except (ValueError, AttributeError):
        sound = False
    if not sound:
        raise _damaged(name)
    return profile


def _damaged(name: str) -> Failure:
    return Failure(
        f"Profile '{name}' ({_path(name)}) is damaged: "
        f"'ce login --profile {name} --url URL' writes it anew.",
        exit_code=NOT_LOGGED_IN,
    )


def _folder() -> Path:
    return files.home() / "profiles"


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise Failure(
            "A profile's name has letters, digits, '.', '_' and '-' only, and at most 64."
        )
    return _folder() / f"{name}.json"
