"""What a secret is: its formats, their required keys, its limits. Pure.

The values are sealed elsewhere; no key is seen here, and no error may repeat a value.
"""

from dataclasses import dataclass
from typing import Any

from shared import quotas
from shared.errors import Error, invalid, raise_all, required
from shared.kinds.rules import Fields
from shared.lifecycle import Project


@dataclass(frozen=True, slots=True)
class Format:
    """A secret's format: its resource type, required keys, and the body member it is made from."""

    resource_type: str
    required: tuple[str, ...] = ()
    made_from: str = "data"


# Contract section 3.1. `other` exists only in answers: it cannot be asked for.
FORMATS = {
    "generic": Format("secret_generic_v2"),
    "basic_auth": Format("secret_basic_auth_v2", ("username", "password")),
    "ssh_auth": Format("secret_auth_ssh_v2", ("ssh_key",)),
    "tls": Format("secret_tls_v2", ("tls_cert", "tls_key")),
    "registry": Format("secret_registry_v2", ("username", "password", "server")),
    "hmac_auth": Format("secret_hmac_auth_v2", ("access_key_id", "secret_access_key")),
    "service_access": Format("secret_service_access_v2", made_from="service_access"),
    "service_operator": Format("secret_operator_v2", made_from="service_operator"),
}

# Empty, these are no key and no host. A password may be empty: to some registries and services a
# token is the user name, and nothing goes with it.
NOT_EMPTY = frozenset({"ssh_key", "tls_key", "server"})
FOLDERS = frozenset({".", ".."})  # keys are mounted as files

# Clients rely on every member of an operator's secret (contract section 3.1); no key of IBM's
# stands behind ours, so its id is empty.
DEFAULT_ROLE = {"name": "Writer"}
OPERATOR = {"apikey_id": "", "resource_group_ids": [], "serviceid": {}, "user_managed": True}


def check(new: Fields, *, old: Fields | None, **_: object) -> None:
    """Check what the schema cannot say; `old` is the secret that `new` replaces.

    Raises Error `missing_field` for each key its format requires, `invalid_field` for a private key
    or a registry's server that is empty, a server that is no host or a key that is none,
    `format_mismatch` when a replacement has another format or its format has no values to replace,
    and `payload_too_large` when the values hold more than quotas.SECRET_BYTES of UTF-8, or a
    service's secret more than quotas.SERVICE_BYTES with its keys.
    """
    form = FORMATS[new["format"]]
    if old and old["format"] != new["format"]:
        raise Error("format_mismatch", "The `format` of a secret cannot be changed.", "format")
    if old and form.made_from != "data":
        raise Error("format_mismatch", f"A `{new['format']}` secret cannot be replaced.")
    data = new.get("data", {})
    if form.made_from not in new and (form.required or form.made_from != "data"):
        where = f"`{form.made_from}` is required for format `{new['format']}`."
        raise Error("missing_field", where, form.made_from)
    raise_all([required(f"data.{key}") for key in form.required if key not in data])
    empty = [key for key in form.required if key in NOT_EMPTY and not data[key]]
    raise_all([invalid(f"data.{key}", "must not be empty") for key in empty])
    if new["format"] == "registry" and not _in_one_piece(data["server"]):
        raise invalid("data.server", "must have no line breaks, and no blanks at its ends")
    if form.made_from != "data":
        _require_bytes(sum(map(len, data)) + _values_bytes(new), quotas.SERVICE_BYTES)
    check_data(new)


def _in_one_piece(text: str) -> bool:
    return text == text.strip() and len(text.splitlines()) <= 1


def check_data(new: Fields, **_: object) -> None:
    """Check the keys and values of a secret or a config map.

    Raises Error `invalid_field` for a key that as a file would be a folder: `.` or `..`, and
    `payload_too_large` for values of more than quotas.SECRET_BYTES.
    """
    if not FOLDERS.isdisjoint(new.get("data", ())):
        raise invalid("data", "has a key that is not allowed: it must not be `.` or `..`")
    _require_bytes(_values_bytes(new), quotas.SECRET_BYTES)


def _values_bytes(new: Fields) -> int:
    return sum(len(value.encode()) for value in new.get("data", {}).values())


def _require_bytes(size: int, most: int) -> None:
    if size > most:
        limit = f"`data` may hold at most {most} bytes of UTF-8 in all."
        raise Error("payload_too_large", limit, "data")


def present(secret: Fields, _project: Project) -> dict[str, Any]:
    """Give the computed fields of a secret's answer, those of a service's secret among them."""
    kind = FORMATS[secret["format"]].resource_type
    computed: dict[str, Any] = {"resource_type": kind, "generated_by": "user"}
    if access := secret.get("service_access"):
        computed["service_access"] = {"role": DEFAULT_ROLE, **access}
    if "service_operator" in secret:
        computed["service_operator"] = OPERATOR | secret["service_operator"]
    return computed
