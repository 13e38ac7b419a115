"""What every use case is handed: settings, store, keyring, time, chance. Wired once, frozen.

The only file of the domain that reads the environment; what decides on time or chance is handed
it from here. Also the two values that pass between the wire and a use case: `Call` and `Answer`.
"""

import os
import random
import re
import secrets
import string
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared import check_value, local_keys, quotas
from shared.errors import Error
from shared.keyring import Keyring
from shared.store import Store
from shared.writes import Read

REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a label of a host name
OIDC_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
CLOUD_PROJECT = r"projects/[a-z0-9:.-]+"
CLOUD_KEYS = {  # the forms of these settings
    "CE_KMS_KEY": rf"{CLOUD_PROJECT}/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+",
    "CE_KEY_SECRETS": rf"{CLOUD_PROJECT}/secrets/[\w-]{{1,200}}",
    "CE_SIGNING_KEY": rf"{CLOUD_PROJECT}/secrets/[\w-]{{1,255}}",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, read once. Docs: docs/operations.md, "Settings"."""

    region: str  # CE_REGION
    endpoint: str  # CE_ENDPOINT: scheme and host of links in answers
    project: str  # GOOGLE_CLOUD_PROJECT
    database: str  # CE_DATABASE
    emulator: str | None  # FIRESTORE_EMULATOR_HOST; None means production
    keyring: Path | None  # CE_KEYRING: the local keyring file
    key_store: Path | None  # CE_KEY_STORE: the folder of key halves
    clock_file: Path | None  # CE_CLOCK_FILE: seconds added to the store's time
    projects_per_region: int  # CE_PROJECTS_PER_REGION
    # CE_EVENT_CALLER, CE_SCHEDULE_CALLER, CE_ADMIN_CALLER: e-mails of service accounts
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    function_url: str = ""  # CE_FUNCTION_URL: the audience of their tokens
    oidc_keys: str = OIDC_KEYS  # CE_OIDC_KEYS: where the issuer's public keys are
    rate: float = 0  # CE_RATE: requests a second for each API key; 0 is no limit
    token_rate: float = 0  # CE_TOKEN_RATE: exchanges a second for each API key and address
    concurrency: int = 0  # CE_CONCURRENCY: requests worked on at once; 0 is no limit
    # CE_KMS_KEY, CE_KEY_SECRETS, CE_SIGNING_KEY: the cloud's keyring; none is the local one
    cloud_keys: tuple[str, str, str] | None = None
    google: str = ""  # CE_GOOGLE: a stand-in for the cloud's APIs

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings; raises ValueError where one is not fit for production."""
        region = env.get("CE_REGION", "us-south")
        if not REGION.fullmatch(region):
            raise ValueError("CE_REGION is not a label of a host name, such as us-south.")
        emulator = env.get("FIRESTORE_EMULATOR_HOST") or None
        if env.get("CE_CLOCK_FILE") and emulator is None:
            raise ValueError("CE_CLOCK_FILE moves the clock: it is refused in production.")
        return cls(
            region=region,
            endpoint=env.get("CE_ENDPOINT", f"https://api.{region}.codeengine.cloud.ibm.com"),
            project=env.get("GOOGLE_CLOUD_PROJECT", "demo-reprieve"),
            database=env.get("CE_DATABASE", "(default)"),
            emulator=emulator,
            keyring=_path(env, "CE_KEYRING"),
            key_store=_path(env, "CE_KEY_STORE"),
            clock_file=_path(env, "CE_CLOCK_FILE"),
            projects_per_region=int(env.get("CE_PROJECTS_PER_REGION", quotas.PROJECTS_PER_REGION)),
            callers={
                name: frozenset(env.get(f"CE_{name.upper()}_CALLER", "").replace(",", " ").split())
                for name in ("event", "schedule", "admin")
            },
            function_url=env.get("CE_FUNCTION_URL", ""),
            oidc_keys=_stand_in(env, "CE_OIDC_KEYS", OIDC_KEYS),
            rate=_rate(env, "CE_RATE", quotas.KEY_RATE),
            token_rate=_rate(env, "CE_TOKEN_RATE", quotas.TOKEN_RATE),
            concurrency=int(_number(env, "CE_CONCURRENCY", quotas.CONCURRENCY)),
            cloud_keys=_cloud_keys(env),
            google=_stand_in(env, "CE_GOOGLE", ""),
        )


def _stand_in(env: Mapping[str, str], name: str, default: str) -> str:
    """Give where something of Google's is: the default, or in a test an address of this machine."""
    url = env.get(name, default)
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if url != default and not (local and env.get("FIRESTORE_EMULATOR_HOST")):
        raise ValueError(f"{name} is for tests: on this machine, beside an emulator.")
    return url


def _cloud_keys(env: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Give the names of the cloud's keys, all or none.

    Beside an emulator real ones are refused: its schedule would take the halves of real projects
    for orphans.
    """
    if not any(env.get(name) for name in CLOUD_KEYS):
        return None
    if env.get("FIRESTORE_EMULATOR_HOST") and not env.get("CE_GOOGLE"):
        raise ValueError("CE_KMS_KEY, CE_KEY_SECRETS and CE_SIGNING_KEY are for production.")
    for name, form in CLOUD_KEYS.items():
        if not re.fullmatch(form, env.get(name, ""), re.ASCII):
            raise ValueError(f"{name} must be a full resource name, as {form} says.")
    key, halves, signing = (env[name] for name in CLOUD_KEYS)
    # By the last part alone: the same project may be named by its id and by its number.
    if signing.rpartition("/")[2].startswith(halves.rpartition("/")[2]):
        raise ValueError("CE_SIGNING_KEY begins with CE_KEY_SECRETS: a purge could destroy it.")
    return key, halves, signing


def _rate(env: Mapping[str, str], name: str, default: float) -> float:
    """Give requests a second; beside an emulator the default is so high that nobody meets it."""
    return _number(env, name, quotas.LOCAL_RATE if env.get("FIRESTORE_EMULATOR_HOST") else default)


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    number = float(env.get(name) or default)
    if not 0 <= number < 1e9:  # NaN is neither
        raise ValueError(f"{name} must be a number from 0.")
    return number


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None


def timestamp(moment: datetime) -> str:
    """Give a time in UTC as RFC 3339, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _entity_tag() -> str:
    """Mint a random entity tag: lower-case letters and digits only (contract section 0)."""
    return secrets.token_hex(8)


def _subdomain() -> str:
    """Mint a random subdomain: 12 lower-case letters and digits, a letter first (contract 1.6)."""
    rest = (secrets.choice(string.ascii_lowercase + string.digits) for _ in range(11))
    return secrets.choice(string.ascii_lowercase) + "".join(rest)


@dataclass(frozen=True, slots=True)
class App:
    """The parts of one deployment."""

    settings: Settings
    store: Store
    keyring: Keyring
    wall: Callable[[], float] = time.time  # seconds since 1970: for tokens and keys only
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    new_tag: Callable[[], str] = _entity_tag
    new_subdomain: Callable[[], str] = _subdomain
    random: Callable[[], float] = random.random

    @classmethod
    def from_settings(cls, settings: Settings) -> "App":
        """Connect the parts that the settings name.

        Raises ValueError in production without the cloud's keyring: the local one is not fit.
        """
        keyring = _keyring(settings)
        store = Store.connect(settings.project, settings.emulator, random.random, settings.database)
        return cls(settings, store, keyring)

    def now(self, read: Read | datetime) -> datetime:
        """Give lifecycle time: the read time of the snapshot decided on, plus the offset."""
        moment = read.time if isinstance(read, Read) else read
        return moment + self.offset()

    def offset(self) -> timedelta:
        """Give how far the local host's clock has been moved; nothing in production."""
        if self.settings.clock_file is None:
            return timedelta(0)
        try:
            return timedelta(seconds=float(self.settings.clock_file.read_bytes()))
        except FileNotFoundError:
            return timedelta(0)


def _keyring(settings: Settings) -> Keyring:
    if settings.cloud_keys:
        from shared import cloud_keys  # noqa: PLC0415 - slow to import, and no part of a local start

        store = f"{settings.project}/{settings.database}"
        return cloud_keys.open_keyring(*settings.cloud_keys, store, settings.google)
    if settings.emulator and settings.keyring and settings.key_store:
        return local_keys.open_keyring(settings.keyring, settings.key_store)
    raise ValueError(
        "CE_KMS_KEY, CE_KEY_SECRETS and CE_SIGNING_KEY are not set, nor FIRESTORE_EMULATOR_HOST, "
        "CE_KEYRING and CE_KEY_STORE, and the local keyring is refused in production. On one "
        'machine run `ce emulator start`, then `eval "$(ce emulator env)"`.'
    )


@cache
def get_app() -> App:
    """Give this process's App, wired at the first call and not at import.

    With keys that are not this store's, or out of reach, every use of a key is refused.
    """
    app = App.from_settings(Settings.from_env(os.environ))
    check_value.guard(app.store, app.keyring)
    with suppress(Error):  # it is logged, and the check is made again before a key is used
        app.keyring.ready()
    return app


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the identity behind a verified token."""

    subject: str  # the id of an API key, or of a service identity
    account: str
    roles: frozenset[str]
    project: str | None = None  # the one project a key is for; None is the whole account


ANYBODY = Principal("anybody", "", frozenset())  # who calls what takes no token
OPERATOR = Principal("operator", "", frozenset())  # who calls what is private


@dataclass(frozen=True, slots=True)
class Call:
    """One request, parsed and checked against openapi.yaml, by a caller who may make it."""

    principal: Principal
    # of path, query and headers, under their OpenAPI names; of a reader, whatever was sent
    parameters: Mapping[str, Any] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    trace: str  # names this request in the answer, the logs and the audit trail


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of a list, under the list's key, and the last key if there are more."""

    key: str
    entries: list[dict[str, Any]] = field(repr=False)
    next: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case gives back; the status is the operation's."""

    body: Any = field(default=None, repr=False)
    page: Page | None = None
    entity_tag: str | None = None
    now: datetime | None = None  # the time the use case decided at
    location: str | None = None
    told: Mapping[str, str] = field(default_factory=dict)  # headers of ours, without their prefix
