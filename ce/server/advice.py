"""What to do next: a line for each way the server can refuse, and for each it can be out of reach.

By the server's code for the error; by its status where it gave none, as a proxy does not. Read
only when something failed.
"""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from ce.server.failure import LOST, NONE, WITHIN, Failure

AGAIN = "Nothing was half done: run the command again in {seconds} seconds."
UNKNOWN = "Whether it was done is not known: look before you run the command again."
OTHER = "The server may be of another version than this 'ce': see 'ce version' and 'ce target'."
OPTIONS = "'{command} --help' lists the options, with examples."
LIST = "'ce {noun} list' shows what there is; 'ce target' shows where it was looked for."
WHERE = (
    "Something else answers there: 'ce target' shows the address, 'ce login --url URL' mends it."
)
ADVICE: Mapping[str, str] = {
    "malformed_request": f"{OPTIONS} The server's log has it under the trace {{trace}}.",
    "missing_field": OPTIONS,
    "invalid_field": OPTIONS,
    "apikey_not_found": "{remedy}",
    "BXNIM0415E": "{remedy}",  # the identity service's word for it
    "unauthorized": "{remedy}",
    "forbidden": "{roles}",
    "quota_exceeded": "Delete what is no longer needed, then run the command again.",
    "resource_not_found": LIST,
    NONE: LIST,
    WITHIN: "'ce {noun} get' shows what is in it.",
    LOST: UNKNOWN,
    "method_not_allowed": OTHER,
    "not_acceptable": OTHER,
    "name_taken": "Choose another name, or look at what has it: 'ce {noun} list'.",
    "conflict": "'ce {noun} list' shows what is there already.",
    "project_not_active": "'ce project list' shows what it is: soft deleted, 'ce project restore' "
    "takes it back; 'ce project select' selects another.",
    "project_not_restorable": "'ce project list' shows what it is: only what is soft deleted can "
    "be restored, and for seven days.",
    "project_not_deletable": "Nothing is left to do: 'ce project list' shows when it is gone.",
    "already_made": "'ce apikey list' shows the keys: delete the one whose text is lost.",
    "idempotency_key_reused": OTHER,
    "not_sealed": "The log takes it in within two minutes: run the command again then.",
    "format_mismatch": "Delete it and create it anew, in the other format.",
    "precondition_failed": "Somebody changed it meanwhile: look at it with 'ce {noun} get', then "
    "run the command again if it is still what you want.",
    "payload_too_large": "Give less at once: spread it over several.",
    "uri_too_long": OPTIONS,
    "unsupported_media_type": OTHER,
    "too_many_requests": "Run the command again in {seconds} seconds.",
    "internal": "It is the server's fault: its log has it under the trace {trace}.",
    "unavailable": AGAIN,
    "401": "{remedy}",
    "403": WHERE,
    "404": WHERE,
    "429": "Run the command again in {seconds} seconds.",
    "502": UNKNOWN,
    "503": UNKNOWN,
    "504": UNKNOWN,
}
ELSE = WHERE  # of a status without a row: redirects, pages of proxies
# The roles that allow what the server calls by this name (docs/security.md).
ROLES: Mapping[str, tuple[str, ...]] = {
    "audit.view": ("administrator", "auditor"),
    "project.view": ("administrator", "editor", "operator", "viewer", "auditor"),
    "project.manage": ("administrator", "editor"),
    "project.create": ("administrator", "editor"),
    "project.purge": ("administrator", "purge"),
    "apikey.view": ("administrator",),
    "apikey.manage": ("administrator",),
    "entity.list": ("manager", "writer", "reader", "auditor"),
    "entity.view": ("manager", "writer", "reader"),
    "entity.manage": ("manager", "writer"),
}
PERMISSION = re.compile(r"`([a-z]+\.[a-z]+)`")
SOME_SECONDS = "a few"

UNREADABLE = (
    "Check the address ('ce target' shows it), and HTTPS_PROXY: http://proxy.example.com:3128 is "
    "one."
)
# Of each way a request fails before it is answered, by the name of what `requests` raises.
UNREACHABLE: Mapping[str, str] = {
    "SSLError": "No safe connection could be made with it: check the address and the proxy.",
    "InvalidProxyURL": UNREADABLE,
    "InvalidSchema": UNREADABLE,
    "InvalidURL": UNREADABLE,
    "ProxyError": "The proxy does not let it through: check HTTPS_PROXY and NO_PROXY.",
    "ConnectTimeout": "Nobody answers there: check the address, the network and the firewall.",
    "ReadTimeout": f"It was reached and did not answer in time. {UNKNOWN}",
    "ConnectionError": "Check that the server runs, the address ('ce target') and the network.",
}
# Of a certificate, by OpenSSL's number for what is wrong with it (X509_V_ERR in x509_vfy.h).
NOT_YET, EXPIRED, OTHER_NAME, OTHER_IP = 9, 10, 62, 64
CERTIFICATE: Mapping[int, str] = {
    NOT_YET: "Its certificate is not valid yet: check the clock of this machine.",
    EXPIRED: "Its certificate has expired: who runs it renews it; check the clock of this machine.",
    OTHER_NAME: "Its certificate is for another name: check the address.",
    OTHER_IP: "Its certificate is for another name: check the address.",
}
UNTRUSTED = (
    "Its certificate is of an authority that is not known here: check the address; the file of an "
    "authority of your own goes into REQUESTS_CA_BUNDLE."
)
HASHED = "*.[0-9]"
PLAIN = "Nothing speaks TLS there: http?"
STRANGE = "Check the address: 'ce target' shows it."
LOCAL = "Is the emulator running? Try 'ce emulator start'."


def unreachable(error: BaseException) -> str:
    """Give what to do after what `requests` raised, from that or from what caused it."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CERTIFICATE.get(cause.verify_code, UNTRUSTED)
        if isinstance(cause, ssl.SSLError) and cause.reason in {
            "WRONG_VERSION_NUMBER",
            "HTTP_REQUEST",
        }:
            return PLAIN
    return UNREACHABLE.get(type(error).__name__, STRANGE)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def authorities() -> str:
    """Tell of a file of authorities that cannot be used; "" where there is none or it can be."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if not (file := os.environ.get(name)):
            continue
        try:
            if not any(Path(file).glob(HASHED)):  # OpenSSL takes a folder, if its names are hashes
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except OSError:
            return f"{name} names '{file}', which cannot be read as a file of certificates."
        return ""
    return ""


def after(failure: Failure, **known: str) -> str:
    """Give what to do after a failure that has a code; `known` are `command`, `noun`, `remedy`."""
    found = PERMISSION.search(" ".join(failure.messages))
    roles = ROLES.get(found[1], ()) if found else ()
    told = {
        **known,
        "seconds": failure.retry_after or SOME_SECONDS,
        "trace": failure.trace or "of this time",
        "roles": _roles(roles),
    }
    return ADVICE.get(failure.code, ELSE).format_map(told)


def _roles(roles: tuple[str, ...]) -> str:
    if not roles:
        return "Log in with another key ('ce login'), or ask its account's administrator."
    which = " or ".join(filter(None, (", ".join(roles[:-1]), roles[-1])))
    flags = f"--role {roles[-1]}"
    return (
        f"It takes a key with the role {which}: an administrator who has it makes one with "
        f"'ce apikey create NAME {flags}'."
    )
