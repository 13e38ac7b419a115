"""What is told of values before they are sent: keys that are none, words misspelt, odd files.

No text here holds a value: a key is named only where it can be no value that was mistaken for one.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from ce.text import blank, broken, emit, unseen

KEY = re.compile(r"[A-Za-z0-9_.-]{1,253}")
RULE = "keys hold letters, digits, - _ . (at most 253)"
# A line of base64 or an address with a password has a `=` too, and what is before it is no key.
NAMED = re.compile(r"[\w ./-]{1,64}")

LIKE = 0.8  # how alike two names are of which one is the other misspelt, by difflib
# Options that name files, which may hold any bytes in their names.
FILES = frozenset(
    (
        *("append", "cert_chain_file", "certificate", "dir", "from_env_file", "from_file"),
        *("from_json_file", "inline_code", "key", "key_path", "known_hosts_path", "out"),
        *("password_from_file", "password_from_json_file", "private_key_file", "proof", "save"),
        "witness",
    )
)

# Options that name something, of which an empty one would be taken for none.
NAMES = frozenset(
    (
        *("application", "auth_url", "build", "format", "id", "job", "jobrun", "name", "profile"),
        *("project_id", "region", "regions", "url"),
    )
)

ADDRESSES = frozenset({"host", "server"})  # keys of formats that say where something is
PRIVATE, CERTIFICATE = "PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"
PUBLIC = re.compile(r"\s*(ssh-|ecdsa-|sk-)|.*-----BEGIN (SSH2 |RSA )?PUBLIC KEY", re.DOTALL)


def keyed(key: str, value: str, where: str, hint: str = "") -> tuple[str, str]:
    """Give a key and its value. Raises UsageError for what is no key, which says where it is."""
    folder = key in {".", ".."}
    if folder or not KEY.fullmatch(key):
        rule = "no key is . or .." if folder else RULE
        raise click.UsageError(f"{where}: {called('key', key, value)} - {rule}{hint}.")
    return key, value


def called(what: str, key: str, value: str) -> str:
    """Give a key as it may be shown: without itself where it may be a value by mistake."""
    named = NAMED.fullmatch(key) and not value.startswith("=") and value
    return f'{what} "{key}"' if named else f"its {what}"


def once(given: Iterable[tuple[str, str, str]], what: str = "key") -> dict[str, str]:
    """Give values by their keys, of keys, values and what gives them.

    Raises UsageError for one that is given twice: which of both counts, nobody can see.
    """
    found: dict[str, str] = {}
    sources: dict[str, str] = {}
    for key, value, where in given:
        if key in found:
            before = "twice" if sources[key] == where else f"already, by {sources[key]}"
            raise click.UsageError(f"{where}: {called(what, key, value)} is given {before}.")
        found[key], sources[key] = value, where
    return found


def apart(
    given: Iterable[tuple[str, str, str]], removed: Iterable[str], by: str, what: str = "key"
) -> None:
    """Refuse what one command both gives and removes, of keys, values and the options they are of.

    Raises UsageError: which of both was meant, nobody can see.
    """
    gone = frozenset(removed)
    for key, value, option in given:
        if key in gone:
            raise click.UsageError(
                f"{option} gives {called(what, key, value)}, and {by} removes it: give one of both."
            )


def whole(options: Mapping[str, Any]) -> None:
    """Refuse a value that is not text in UTF-8, and the empty name of something.

    The name of a file can be any bytes.
    """
    for option, value in options.items():
        if option in NAMES and isinstance(value, str) and blank(value):
            raise click.UsageError(f"--{option.replace('_', '-')}: its value is empty.")
        for text in value if isinstance(value, tuple) else (value,):
            if option in FILES or not isinstance(text, str) or not broken(text):
                continue
            key, equals, rest = text.partition("=")
            part = f": {called('key', key, rest)}" if equals and not broken(key) else ""
            name = f"--{option.replace('_', '-')}"
            raise click.UsageError(f"{name}{part}: its value is not text in UTF-8.")


def misspelt(wanted: Iterable[str], there: Iterable[str]) -> tuple[str, str] | None:
    """Find a member that is wanted and missing, and one that is there and written nearly so."""
    from difflib import get_close_matches  # noqa: PLC0415 - few commands need it

    wanted, there = [*wanted], [*there]
    left = [name for name in there if name not in wanted and NAMED.fullmatch(name)]
    for name in wanted:
        if name not in there and (near := get_close_matches(name, left, 1, LIKE)):
            return name, near[0]
    return None


def no_choice(what: str, given: str, choices: list[str]) -> click.UsageError:
    """Give the refusal of a word that is none of the choices, with the one that was meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    near = get_close_matches(given.lower(), choices, 1)
    meant = f"did you mean '{near[0]}'? Else " if near else ""
    return click.UsageError(f"{what}; {meant}choose {', '.join(choices)}.")


def spotted(key: str, where: str, text: str) -> None:
    """Warn of what nobody sees in a credential; it is sent all the same.

    Raises UsageError for one in the address of a server: none has such a character.
    """
    if key in ADDRESSES and unseen(text):
        raise click.UsageError(f"{where} holds a character that nobody sees: nothing was stored.")
    said = "holds a character that nobody sees" if unseen(text) else ""
    if not said and text != text.strip() and text.strip():
        said = "begins or ends with a blank"
    if said:
        emit(f"Warning: {where} {said}; it is stored as given.\n", error=True)


def unkeyed(literals: Iterable[str]) -> None:
    """Warn of a value that was given without its key: the end of base64 is read as `KEY=`."""
    for number, text in enumerate(literals, 1):
        _, _, value = text.partition("=")
        if value in {"", "="}:
            said = "an empty value" if not value else "'=' alone"
            emit(
                f"Warning: {said} is stored for the key given to --from-literal number {number}.\n",
                error=True,
            )


def odd(key: str, option: str, text: str) -> None:
    """Warn of a file that is hardly what its option is for; it is sent all the same."""
    said = ""
    if key == "tls_cert" and CERTIFICATE not in text:
        said = "holds no certificate in PEM format"
    elif key == "tls_cert" and PRIVATE in text:
        said = "holds a private key beside the certificate: whoever gets this also gets that"
    elif key in {"tls_key", "ssh_key"} and PRIVATE not in text:
        said = "holds no private key in PEM format"
        if PUBLIC.match(text):
            said = "holds a public key: the private one is in the file without .pub"
        elif CERTIFICATE in text:
            said = "holds a certificate and no private key"
    elif key == "known_hosts" and PRIVATE in text:
        said = "holds a private key"
    if said and text.strip():
        emit(f"Warning: {option}: the file {said}.\n", error=True)
