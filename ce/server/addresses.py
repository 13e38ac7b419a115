"""Whether a key may be sent to an address: what is a key, over https, or to this machine.

Every source of one is held against this: the environment, profiles, options, the local host's own
files. No error shows more of an address than its scheme and host.
"""

import re
from urllib.parse import SplitResult, urlsplit

from ce.server.failure import USAGE, Failure
from ce.text import bare

EXAMPLE = "https://ce.example.com"
KEY = re.compile(r"ce_[A-Za-z0-9]+_[A-Za-z0-9_-]+")  # of this service: ce_ID_SECRET
QUOTES = "\"'`\u201c\u201d\u2018\u2019"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def read(url: str) -> SplitResult | None:
    """Read an address: a scheme, a host, and nothing secret in it; None for what is none.

    What libraries read in two ways is none either: one would check a host, the other ask another.
    """
    if "\\" in url or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0 and parts.scheme in {"https", "http"}
    except ValueError:
        return None
    return parts if sound and not parts.query + parts.fragment and "@" not in parts.netloc else None


def checked(url: str, name: str, remedy: str) -> str:
    """Give an address a key may be sent to. Raises Failure, with what to do, for any other."""
    parts = read(url)
    if "://" not in url:
        raise Failure(
            f"{name} has no scheme: an address begins with https://, as {EXAMPLE} does, or with "
            "http:// where it is of this machine.",
            exit_code=USAGE,
        )
    if parts is None:
        raise Failure(f"{name} is no address such as {EXAMPLE}: {remedy}.", exit_code=USAGE)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Failure(
            f"{parts.scheme} to {parts.hostname} would send the key in clear: {remedy}, or reach "
            "the host through a tunnel to this machine.",
            exit_code=USAGE,
        )
    return url


def versioned(url: str) -> str:
    """Give the address of the API, which ends in its version."""
    url = url.rstrip("/")
    return url if url.endswith("/v2") else f"{url}/v2"


def trimmed(text: str, name: str) -> str:
    """Give a variable's value without blanks and line ends at its ends, as files have them.

    Raises Failure for quotes, which a shell would have taken off.
    """
    text = bare(text)
    if text and (text[0] in QUOTES or text[-1] in QUOTES):
        raise Failure(f"{name} has quotes in it: leave them out.", exit_code=USAGE)
    return text


def key(text: str, name: str, host: str) -> str:
    """Give a text that is a key by its form. Raises Failure for any other, which is kept here."""
    if not KEY.fullmatch(text):
        raise Failure(
            f"{name} is no key of this service (ce_ID_SECRET); it was not sent to {host}.",
            exit_code=USAGE,
        )
    return text
