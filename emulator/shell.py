"""What `env` of a host leaves in a shell, and whose it is: a host takes nothing of another one's.

Also not where CE_HUB_STATE was unset, as long as a path shows whose it is. What somebody else keeps
(a Firestore, a key store that is no host's) may be named as before. It must never show a value but
the folder of a host.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import Refused
from emulator.state import State

OWNER = "CE_HUB_STATE"
PATHS = ("CE_KEYRING", "CE_KEY_STORE", "CE_CLOCK_FILE")
# What of it a start would follow, and with it use the Firestore and the keys that it names.
LEADS = ("FIRESTORE_EMULATOR_HOST", "CE_ENDPOINT", "CE_STORE_FORM", *PATHS)
LOGINS = ("CODE_ENGINE_APIKEY", "RESOURCE_CONTROLLER_APIKEY")
EXPORTS = (
    *LEADS,
    *("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", OWNER),
    *("CODE_ENGINE_URL", "CODE_ENGINE_AUTH_TYPE", "CODE_ENGINE_AUTH_URL"),
    *("RESOURCE_CONTROLLER_URL", "RESOURCE_CONTROLLER_AUTH_TYPE", "RESOURCE_CONTROLLER_AUTH_URL"),
    *("IBMCLOUD_CODE_ENGINE_API_ENDPOINT", "IBMCLOUD_IAM_API_ENDPOINT"),
    *LOGINS,
)


@dataclass(frozen=True)
class Left:
    """What a shell has of a host: its state folder, and the names a start would have followed."""

    folder: Path
    names: tuple[str, ...]


def left(state: State, environment: Mapping[str, str] = os.environ) -> Left | None:
    """Give what the shell has of a host, this one or another; None if it has nothing of any."""
    if owner := environment.get(OWNER):
        names = tuple(name for name in LEADS if environment.get(name))
        return Left(Path(owner).resolve(), names)
    homes = {name: _home(environment[name]) for name in PATHS if environment.get(name)}
    folders = [home for home in homes.values() if home not in {None, state.folder}]
    if not folders:
        return None
    told = [places for places in map(_places, {home for home in folders if home}) if places]
    names = tuple(
        name
        for name in LEADS
        if homes.get(name) in folders
        or any(environment.get(name) == places.get(name) for places in told if name in places)
    )
    return Left(next(iter(filter(None, folders))), names)


def of_another(state: State, environment: Mapping[str, str] = os.environ) -> Left | None:
    """Give what the shell has of another host than this one."""
    found = left(state, environment)
    return found if found and found.folder != state.folder else None


def without(state: State, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give an environment without what it has of another host."""
    found = of_another(state, environment)
    names = {*EXPORTS, *found.names} if found else set()
    return {name: value for name, value in environment.items() if name not in names}


def disown(state: State) -> Left | None:
    """Take what a host left out of this process's environment, and give what that was."""
    found = left(state)
    for name in (*found.names, OWNER) if found else ():
        os.environ.pop(name, None)
    return found


def said(found: Left, state: State) -> str:
    """Say that what the shell has of another host does not count."""
    return (
        f"This shell has variables of another host, that on {found.folder}: they are ignored, for "
        f"this is about the one on {state.folder}.\n"
    )


def _home(path: str) -> Path | None:
    """Give the state folder of the host that a file or folder is of; None if it is of none."""
    folder = Path(path).resolve().parent
    return folder if (folder / "tokens.json").is_file() and (folder / "lock").exists() else None


def _places(folder: Path) -> dict[str, Any]:
    """Give what a host that runs, or was killed, exports."""
    try:
        found = State(folder).read("hub.json") or {}
    except (OSError, Refused):
        return {}
    exports = found.get("env")
    return exports if isinstance(exports, dict) else {}
