"""What the environment says, read once and checked. The rest of `shared` never looks there.

A setting that is not fit for production, or not what its name asks for, is refused at the start.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from shared import forms, quotas

REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a label of a host name
OIDC_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
CLOUD_PROJECT = r"projects/[a-z0-9:.-]+"
CLOUD_KEYS = {  # the forms of these settings
    "CE_KMS_KEY": rf"{CLOUD_PROJECT}/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+",
    "CE_KEY_SECRETS": rf"{CLOUD_PROJECT}/secrets/[\w-]{{1,200}}",
    "CE_SIGNING_KEY": rf"{CLOUD_PROJECT}/secrets/[\w-]{{1,248}}",
    "CE_STATE_KEY": rf"{CLOUD_PROJECT}/secrets/[\w-]{{1,255}}",
}
READS = SECRETS, ALL = "secrets", "all"  # what is told of who read it
SECRET_NAME = CLOUD_KEYS["CE_SIGNING_KEY"]  # the form of a secret's name
TEST_HOST = "test.invalid"  # that a log beside an emulator is named after (RFC 2606): no evidence
PUBLIC = "-public"  # after the name of the signing key's secret: the secret of its public half


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
    # CE_EVENT_CALLER, CE_SCHEDULE_CALLER, CE_SEAL_CALLER, CE_ADMIN_CALLER: e-mails of accounts
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    function_url: str = ""  # CE_FUNCTION_URL: the audience of their tokens
    oidc_keys: str = OIDC_KEYS  # CE_OIDC_KEYS: where the issuer's public keys are
    rate: float = 0  # CE_RATE: requests a second for each API key; 0 is no limit
    token_rate: float = 0  # CE_TOKEN_RATE: exchanges a second for each API key and address
    create_rate: float = 0  # CE_CREATE_RATE: projects an account makes a second; 0 is no limit
    concurrency: int = 0  # CE_CONCURRENCY: requests worked on at once; 0 is no limit
    # CE_KMS_KEY, CE_KEY_SECRETS, CE_SIGNING_KEY, CE_STATE_KEY: the cloud's keyring, or none of them
    cloud_keys: tuple[str, str, str, str] | None = None
    log_key: str = (
        ""  # CE_LOG_KEY: the secret of the key that signs checkpoints, the sealer's alone
    )
    log_public: bool = True  # CE_LOG_PUBLIC: whether the log is read without a token
    google: str = ""  # CE_GOOGLE: a stand-in for the cloud's APIs
    store_form: int = forms.NEWEST  # CE_STORE_FORM: the form that what is stored must have
    keys_since: datetime | None = None  # CE_KEYS_SINCE: older keys and tokens are refused
    audit_reads: str = SECRETS  # CE_AUDIT_READS: of which sealed values a reading has an entry

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings; raises ValueError where one is not fit for production."""
        region = env.get("CE_REGION", "us-south")
        if not REGION.fullmatch(region):
            raise ValueError("CE_REGION is not a label of a host name, such as us-south.")
        emulator = env.get("FIRESTORE_EMULATOR_HOST") or None
        if env.get("CE_CLOCK_FILE") and emulator is None:
            raise ValueError("CE_CLOCK_FILE moves the clock: it is refused in production.")
        endpoint = env.get("CE_ENDPOINT", f"https://api.{region}.codeengine.cloud.ibm.com")
        if emulator is None and urlsplit(endpoint).hostname == TEST_HOST:
            raise ValueError(
                f"CE_ENDPOINT names {TEST_HOST}: that is for logs that are no evidence."
            )
        return cls(
            region=region,
            endpoint=endpoint,
            project=env.get("GOOGLE_CLOUD_PROJECT", "demo-reprieve"),
            database=env.get("CE_DATABASE", "(default)"),
            emulator=emulator,
            keyring=_path(env, "CE_KEYRING"),
            key_store=_path(env, "CE_KEY_STORE"),
            clock_file=_path(env, "CE_CLOCK_FILE"),
            projects_per_region=int(env.get("CE_PROJECTS_PER_REGION", quotas.PROJECTS_PER_REGION)),
            callers={
                name: frozenset(env.get(f"CE_{name.upper()}_CALLER", "").replace(",", " ").split())
                for name in ("event", "schedule", "seal", "admin")
            },
            function_url=env.get("CE_FUNCTION_URL", ""),
            oidc_keys=_stand_in(env, "CE_OIDC_KEYS", OIDC_KEYS),
            rate=_rate(env, "CE_RATE", quotas.KEY_RATE),
            token_rate=_rate(env, "CE_TOKEN_RATE", quotas.TOKEN_RATE),
            create_rate=_rate(env, "CE_CREATE_RATE", quotas.CREATE_RATE, quotas.LOCAL_CREATES),
            concurrency=int(_number(env, "CE_CONCURRENCY", quotas.CONCURRENCY)),
            cloud_keys=_cloud_keys(env),
            log_key=_log_key(env),
            log_public=_switch(env, "CE_LOG_PUBLIC"),
            google=_stand_in(env, "CE_GOOGLE", ""),
            store_form=_form(env),
            keys_since=_moment(env, "CE_KEYS_SINCE"),
            audit_reads=_reads(env),
        )


def _stand_in(env: Mapping[str, str], name: str, default: str) -> str:
    """Give where something of Google's is: the default, or in a test an address of this machine."""
    parts = urlsplit(url := env.get(name, default))
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if url != default and not (local and env.get("FIRESTORE_EMULATOR_HOST")):
        raise ValueError(f"{name} is for tests: on this machine, beside an emulator.")
    return url


def _cloud_keys(env: Mapping[str, str]) -> tuple[str, str, str, str] | None:
    """Give the names of the cloud's keys, all or none.

    Beside an emulator real ones are refused: its schedule would take the halves of real projects
    for orphans.
    """
    if not any(env.get(name) for name in CLOUD_KEYS):
        return None
    if env.get("FIRESTORE_EMULATOR_HOST") and not env.get("CE_GOOGLE"):
        raise ValueError(f"{', '.join(CLOUD_KEYS)} are for production.")
    for name, form in CLOUD_KEYS.items():
        if not re.fullmatch(form, env.get(name, ""), re.ASCII):
            raise ValueError(f"{name} must be a full resource name, as {form} says.")
    key, halves, signing, state = (env[name] for name in CLOUD_KEYS)
    # By the last part alone: the same project may be named by its id and by its number.
    for name, secret in ("CE_SIGNING_KEY", signing + PUBLIC), ("CE_STATE_KEY", state):
        if secret.rpartition("/")[2].startswith(halves.rpartition("/")[2]):
            raise ValueError(f"{name} begins with CE_KEY_SECRETS: a purge could destroy it.")
    return key, halves, signing, state


def _log_key(env: Mapping[str, str]) -> str:
    """Give the name of the log key's secret, if there is one; beside an emulator it is a file."""
    if not (name := env.get("CE_LOG_KEY", "")):
        return ""
    if env.get("FIRESTORE_EMULATOR_HOST") and not env.get("CE_GOOGLE"):
        raise ValueError("CE_LOG_KEY is for production.")
    if not re.fullmatch(SECRET_NAME, name, re.ASCII):
        raise ValueError(f"CE_LOG_KEY must be a full resource name, as {SECRET_NAME} says.")
    halves = env.get("CE_KEY_SECRETS", "").rpartition("/")[2]
    if halves and name.rpartition("/")[2].startswith(halves):
        raise ValueError("CE_LOG_KEY begins with CE_KEY_SECRETS: a purge could destroy it.")
    return name


def _switch(env: Mapping[str, str], name: str) -> bool:
    """Give what is on unless it is switched off."""
    if (said := env.get(name) or "1") not in ("0", "1"):
        raise ValueError(f"{name} must be 0 or 1.")
    return said == "1"


def _form(env: Mapping[str, str]) -> int:
    """Give the form of what is stored; the newest where none is named, for that accepts least."""
    form = env.get("CE_STORE_FORM") or str(forms.NEWEST)
    if form not in (str(forms.FORMER), str(forms.NEWEST)):
        raise ValueError(f"CE_STORE_FORM must be {forms.FORMER} or {forms.NEWEST}.")
    return int(form)


def _reads(env: Mapping[str, str]) -> str:
    reads = env.get("CE_AUDIT_READS") or SECRETS
    if reads not in READS:
        raise ValueError(f"CE_AUDIT_READS must be {SECRETS} or {ALL}.")
    return reads


def _moment(env: Mapping[str, str], name: str) -> datetime | None:
    if not env.get(name):
        return None
    with suppress(ValueError):
        moment = datetime.fromisoformat(env[name])
        if moment.tzinfo:
            return moment
    raise ValueError(f"{name} must be a time with its zone, such as 2026-01-31T12:00:00Z.")


def _rate(
    env: Mapping[str, str], name: str, default: float, local: float = quotas.LOCAL_RATE
) -> float:
    """Give requests a second; beside an emulator the default is so high that nobody meets it."""
    return _number(env, name, local if env.get("FIRESTORE_EMULATOR_HOST") else default)


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    number = float(env.get(name) or default)
    if not 0 <= number < 1e9:  # NaN is neither
        raise ValueError(f"{name} must be a number from 0.")
    return number


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None
