"""What is told of values before they are sent: keys that are none, words misspelt, odd files.

No text here holds a value: a key is named only where it can be no value that was mistaken for one.
"""

import re

import click

from ce.text import emit

KEY = re.compile(r"[A-Za-z0-9_.-]{1,253}")
RULE = "keys hold letters, digits, - _ . (at most 253)"
# A line of base64 or an address with a password has a `=` too, and what is before it is no key.
NAMED = re.compile(r"[\w ./-]{1,64}")

PRIVATE, CERTIFICATE = "PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"
PUBLIC = re.compile(r"\s*(ssh-|ecdsa-|sk-)|.*-----BEGIN (SSH2 |RSA )?PUBLIC KEY", re.DOTALL)


def keyed(key: str, value: str, where: str, hint: str = "") -> tuple[str, str]:
    """Give a key and its value. Raises UsageError for what is no key, which says where it is."""
    folder = key in {".", ".."}
    if folder or not KEY.fullmatch(key):
        named = NAMED.fullmatch(key) and not value.startswith("=") and value
        what = f'key "{key}"' if named else "its key"
        rule = "no key is . or .." if folder else RULE
        raise click.UsageError(f"{where}: {what} - {rule}{hint}.")
    return key, value


def no_choice(what: str, given: str, choices: list[str]) -> click.UsageError:
    """Give the refusal of a word that is none of the choices, with the one that was meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    near = get_close_matches(given.lower(), choices, 1)
    meant = f"did you mean '{near[0]}'? Else " if near else ""
    return click.UsageError(f"{what}; {meant}choose {', '.join(choices)}.")


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
