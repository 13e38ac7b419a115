"""Secrets by format: which option fills which key, and which keys are never shown.

Owns the way from options to `data`, and from `data` to what may be seen. Values pass through
here in clear: nothing is printed or raised with one in it.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import click

from ce.body.checks import apart, called, keyed, misspelt, no_choice, odd, spotted, unkeyed
from ce.body.fields import REDACTED, flag
from ce.body.inputs import Inputs, hidden, unmarked
from ce.call import Call
from ce.server import WITHIN, Doc, Failure
from ce.text import bare, blank, broken

WORDS = {"ssh": "ssh_auth", "hmac": "hmac_auth"}  # the documented command line's own
KEY_NAMES = {"ssh_key": "ssh-privatekey", "tls_cert": "tls.crt", "tls_key": "tls.key"}


@dataclass(frozen=True)
class Format:
    """Keys a format must and may have, and those it never shows."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All its keys; none means any."""
        return self.needs + self.may


FORMATS = {
    "generic": Format(),
    "basic_auth": Format(("username", "password"), hides=("password",)),
    "ssh_auth": Format(("ssh_key",), ("known_hosts", "host"), hides=("ssh_key",)),
    "tls": Format(("tls_cert", "tls_key"), hides=("tls_cert", "tls_key")),
    "registry": Format(("username", "password", "server"), ("email",), hides=("password",)),
    "hmac_auth": Format(("access_key_id", "secret_access_key"), hides=("secret_access_key",)),
}

# What some format must have: empty, it is no credential.
NEEDED = frozenset(key for form in FORMATS.values() for key in form.needs)
SHORT = {api: word for word, api in WORDS.items()}
CHOICES = [SHORT.get(form, form) for form in FORMATS]

# Options whose text is the value, and options that name the file it is in.
TEXTS = {
    "access_key_id": "access_key_id",
    "email": "email",
    "host": "host",
    "password": "password",
    "secret_access_key": "secret_access_key",
    "server": "server",
    "username": "username",
}
FILES = {
    "cert_chain_file": "tls_cert",
    "key_path": "ssh_key",
    "known_hosts_path": "known_hosts",
    "private_key_file": "tls_key",
}
FROM_FILES = frozenset(map(flag, FILES))
OPTION_OF = {key: option for option, key in (TEXTS | FILES).items()}
# What is asked for at a terminal when it was not given; the others have to be given.
ASKED = {
    "password": ("Password", "--password-from-file"),
    "secret_access_key": ("Secret access key", "--from-json-file"),
}


@dataclass(frozen=True)
class Values:
    """What the options gave: keys of a format, own keys, and keys to remove."""

    typed: dict[str, str]
    own: dict[str, str]
    document: dict[str, Any] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    allow_empty: bool = False
    file: str = ""  # that the document is from


def read(call: Call, form: str | None) -> Values:
    """Read every value the options name; ask for a password that a new secret still needs."""
    if form is not None and form not in FORMATS:
        raise no_choice("--format has none of its words", form, CHOICES)
    inputs = Inputs()
    allow_empty = bool(call["allow_empty"])
    typed, given = dict[str, str](), dict[str, str]()
    for key, where, value in _typed(call, inputs):
        option = where.partition(":")[0]
        if key in typed:
            raise click.UsageError(f"Give only one of {given[key]} and {option}.")
        given[key] = option
        if key in NEEDED and not allow_empty:
            _refuse_empty(where, value)
        if option not in FROM_FILES:
            spotted(key, where, value)
        typed[key] = value
    removed = tuple(call["rm"] or ())
    apart(((key, typed[key], option) for key, option in given.items()), removed, "--rm")
    own = inputs.pairs(call["from_env_file"], call["from_file"], call["from_literal"], removed)
    unkeyed(call["from_literal"] or ())
    document = (
        inputs.fields(call["from_json_file"], "--from-json-file")
        if "from_json_file" in call.given
        else {}
    )
    file = call["from_json_file"] or ""
    apart(((key, "a member's", "--from-json-file") for key in document), removed, "--rm")
    values = Values(typed, own, document, removed, allow_empty, file)
    return _completed(call, form, values) if form else values


def _typed(call: Call, inputs: Inputs) -> Iterator[tuple[str, str, str]]:
    """Give what the options of formats give: the key, where it is from, and the value."""
    for option, key in TEXTS.items():
        if option in call.given:
            text = unmarked(call[option])
            yield key, f"{flag(option)}: its value", bare(text) if key == "server" else text
    for option, key in FILES.items():
        if option in call.given:
            text = inputs.text(call[option], flag(option))
            odd(key, flag(option), text)
            yield key, f"{flag(option)}: the file", text
    if (option := "password_from_file") in call.given:
        yield "password", f"{flag(option)}: the first line", inputs.first_line(call[option])
    if (option := "password_from_json_file") in call.given:
        value = inputs.field(call[option], "apikey", flag(option))
        yield "password", f"{flag(option)}: field 'apikey'", value
    for key in ("access_key_id", "secret_access_key"):
        if call[f"{key}_prompt"]:
            label = key.replace("_", " ").capitalize()
            yield key, f"{flag(key)}-prompt: the answer", hidden(label, "--from-json-file")


def _refuse_empty(where: str, value: str) -> None:
    """Refuse what is no credential: a variable that was not set, a file that was not written."""
    if blank(value):
        raise click.UsageError(f"{where} is empty: nothing was stored. --allow-empty stores it.")


def body(form: str, values: Values, current: Doc | None = None) -> Doc:
    """Build what is sent, from what is there and what is given."""
    _check(form, values)
    given = _from_document(form, values) | values.typed | values.own
    before = (current or {}).get("data") or {}
    if current is not None and not given and not values.removed:
        raise click.UsageError("Nothing to update: give an option.")
    if missing := [key for key in values.removed if key not in before]:
        raise Failure(f"There is no key '{missing[0]}' to remove.", code=WITHIN)
    data = {k: v for k, v in before.items() if k not in values.removed} | given
    return {"format": form, "data": data}


def shown(call: Call, doc: Doc) -> Doc:
    """Return the document as it may be seen: values in base64, the format's secrets never."""
    # A format we do not know may hide anything.
    known = FORMATS.get(doc.get("format", ""), Format(hides=tuple(doc.get("data") or ())))
    return _shown(call, doc, doc.get("data"), known.hides)


def shown_as_docker(call: Call, doc: Doc) -> Doc:
    """Return a registry secret as the one key that Docker reads."""
    data = doc.get("data")
    return _shown(call, doc, data and {".dockerconfigjson": docker_config(data)}, ())


def shown_as_repo(call: Call, doc: Doc) -> Doc:
    """Return an ssh secret as what gives access to the repositories of a host."""
    data = doc.get("data")
    shown = _shown(call, doc, data and {key: data[key] for key in data if key != "host"}, ())
    return {**shown, "host": (data or {}).get("host")}


def docker_config(data: dict[str, str]) -> str:
    """Write the Docker configuration that a registry secret stands for."""
    login = {key: data[key] for key in ("username", "password", "email") if data.get(key)}
    auth = _base64(f"{data['username']}:{data['password']}")
    auths = {"auths": {data["server"]: {**login, "auth": auth}}}
    return json.dumps(auths, separators=(",", ":"), ensure_ascii=False)


def _shown(call: Call, doc: Doc, data: dict[str, str] | None, hides: tuple[str, ...]) -> Doc:
    if data is None:
        return doc
    write = str if call["decode"] else _base64
    seen = {k: REDACTED if k in hides else write(v) for k, v in sorted(data.items())}
    return {**doc, "data": seen}


def _completed(call: Call, form: str, values: Values) -> Values:
    _check(form, values)
    needs = FORMATS[form].needs
    if not needs and not (values.own or values.document):
        raise click.UsageError("Give --from-literal, --from-file or --from-env-file.")
    document = _from_document(form, values)
    usual = {key: call[key] for key in needs if key in TEXTS and call[key] and key not in document}
    typed = usual | values.typed
    for key in needs:
        if key in typed or key in document:
            continue
        if values.document:
            raise click.UsageError(
                f"--from-json-file '{values.file}' has no field '{key}', and "
                f"{flag(OPTION_OF[key])} is not given."
            )
        if key not in ASKED:
            raise click.UsageError(f"A secret of format {form} needs {flag(OPTION_OF[key])}.")
        label, option = ASKED[key]
        typed[key] = hidden(label, option)
        if not values.allow_empty:
            _refuse_empty(f"{label} (or {option}): the answer", typed[key])
        spotted(key, f"{label} (or {option}): the answer", typed[key])
    return replace(values, typed=typed)


def _from_document(form: str, values: Values) -> dict[str, str]:
    known, document = FORMATS.get(form, Format()), values.document
    keys = known.keys
    # A service key's JSON keeps the pair one level down.
    nested = document.get("cos_hmac_keys")
    if keys and isinstance(nested, dict):
        document = document | nested
    found = {key: value for key, value in document.items() if not keys or key in keys}
    where = f"--from-json-file '{values.file}'"
    if keys and (near := misspelt(keys, document)):
        field = called("field", near[1], near[1])
        raise click.UsageError(f"{where}: {field} - did you mean '{near[0]}'?")
    if both := [key for key in found if key in values.typed or key in values.own]:
        raise click.UsageError(f"{where}: field '{both[0]}' is given by an option too.")
    for key, value in found.items():
        _field(known, key, value, where, allow_empty=values.allow_empty)
    if document and not found:
        raise click.UsageError(f"{where}: none of its fields is one of {', '.join(keys)}.")
    return found


def _field(form: Format, key: str, value: Any, where: str, *, allow_empty: bool) -> None:
    """Look at a member of a document. Raises UsageError for what no secret can have."""
    if not form.keys:
        keyed(key, "a member's", where)
    field = f"{where}: field '{key}'"
    if not isinstance(value, str):
        raise click.UsageError(f"{field} is not text.")
    if broken(value):  # JSON's escapes can say half of a character
        raise click.UsageError(f"{field} is not text in UTF-8.")
    if key in form.needs and not allow_empty:
        _refuse_empty(field, value)
    if key in form.keys and key not in FILES.values():
        spotted(key, field, value)


def _check(form: str, values: Values) -> None:
    known = FORMATS.get(form, Format())
    for key in values.typed:
        if key not in known.keys:
            raise click.UsageError(
                f"{flag(OPTION_OF[key])} does not apply to a secret of format {form}."
            )
    if values.own and known.needs:
        raise click.UsageError(
            f"--from-literal, --from-file and --from-env-file do not apply to format {form}."
        )


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
