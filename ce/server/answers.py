"""What an answer says: its document, the refusal in it, and whether it is an answer at all.

It must never quote what was sent: only what the server itself says goes into a Failure.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ce.server.failure import FAILED, LOST, NOT_LOGGED_IN, Failure

if TYPE_CHECKING:
    from requests import Response

GATEWAYS = {502, 503, 504}  # of who cannot say what became of the request: with nothing of ours


def document(answer: "Response") -> dict[str, Any] | None:
    """Give the JSON object that it is, empty where nothing is; None where it is something else."""
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_cut(answer: "Response") -> bool:
    """Tell whether the connection ended in the head of a success, which Python takes for all of it.

    Else a head says how long the body is, but for those that have none.
    """
    told = answer.headers.get("Content-Length") or answer.headers.get("Transfer-Encoding")
    bodiless = answer.status_code == 204 or answer.request.method == "HEAD"
    return 200 <= answer.status_code < 300 and not (answer.content or told or bodiless)


def is_verdict(answer: "Response", *, lost: bool) -> bool:
    """Tell whether an answer says what became of a change.

    A gateway's does not; nor, once an answer was `lost`, that of a server that did not look.
    """
    status = answer.status_code
    if lost:
        return status != 429 and status < 500
    return status not in GATEWAYS or not _is_silent(answer)


def _is_silent(answer: "Response") -> bool:
    """Tell whether nothing of ours answers: not the API, but who stands before it."""
    return "errors" not in (document(answer) or {})


def unknown(failure: Failure) -> Failure:
    """Say of a change that failed last of all that it may have been made before."""
    from ce.server.advice import UNKNOWN  # noqa: PLC0415 - only what fails needs it

    if failure.status:
        failure.code = LOST  # its line of advice says so
        return failure
    told = " ".join(failure.messages)
    return failure if UNKNOWN in told else failure.saying(f"{told} {UNKNOWN}")


def refusal(answer: "Response") -> Failure:
    """Give the failure that it tells."""
    body = document(answer) or {}
    told = body.get("errors")
    errors = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    messages = [_line(error) for error in errors]
    if "errorMessage" in body:
        messages.append(f"{body['errorMessage']}")
    status = answer.status_code
    codes = [body.get("errorCode"), *(error.get("code") for error in errors)]
    failure = Failure(
        *messages or [f"The server answered {status} {answer.reason} and gave no reason."],
        exit_code=NOT_LOGGED_IN if status == 401 else FAILED,
        status=status,
        code=next((str(code) for code in codes if code), str(status)),
    )
    failure.retry_after = answer.headers.get("Retry-After", "")
    failure.trace = str(body.get("trace", ""))
    failure.location = answer.headers.get("Location", "")
    return failure


def _line(error: Mapping[str, Any]) -> str:
    message = " ".join(str(error.get("message", error.get("code", ""))).split())
    target = (error.get("target") or {}).get("name", "")
    return message if not target or target in message else f"{target}: {message}"
