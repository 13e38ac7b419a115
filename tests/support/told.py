"""Answers in tests: the status is looked at first, then the body.

An answer that is not the one due is told by its status, its code and its trace, with which the
host's log says where it came from; never by its text, which may hold a secret.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

TRACE, RETRY = "X-Global-Transaction-ID", "Retry-After"


def text_of(answer: Any) -> str:
    """Give the text of an answer: of `requests`, or of Flask."""
    return answer.get_data(as_text=True) if hasattr(answer, "get_data") else answer.text


def code_of(text: str) -> str:
    """Give the code of a refusal; nothing where the text is not one."""
    with suppress(ValueError, LookupError, TypeError):
        return str(json.loads(text)["errors"][0]["code"])
    return ""


def said(status: int, text: str, headers: Mapping[str, str]) -> str:
    """Say of an answer what may be shown."""
    code = code_of(text) or "no code" if status >= 400 else "no refusal"
    return f"answered {status}, {code}, trace {headers.get(TRACE, 'none')}"


def told(answer: Any) -> str:
    """Say of an answer what may be shown."""
    return said(answer.status_code, text_of(answer), answer.headers)


def body(answer: Any, *due: int) -> Any:
    """Give what an answer holds, whose status must be one of those due."""
    assert answer.status_code in due, f"due is {' or '.join(map(str, due))}: {told(answer)}"
    text = text_of(answer)
    return json.loads(text) if text else None


def busy(status: int, text: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the contract has a client try again: 503 `unavailable`, and when."""
    return (status, code_of(text)) == (503, "unavailable") and headers.get(RETRY, "").isdigit()
