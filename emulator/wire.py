"""What the three ports share on the wire: the error envelope, the host guard, local calls.

It must never read a body or decide where a request goes.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from werkzeug.test import Client
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

# Says who calls a function; in the WSGI environment, where no header of a request can set it.
CALLER = "reprieve.caller"
OURS = {"127.0.0.1", "localhost", "[::1]"}
ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Answer:
    """What a function answered to a call made inside this process."""

    status: int
    body: bytes
    content_type: str

    @property
    def ok(self) -> bool:
        """Whether the function took the call."""
        return 200 <= self.status < 300


def error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Code Engine's error envelope."""
    trace = f"codeengine-api-{secrets.token_hex(16)}"
    body = {
        "errors": [{"code": code, "message": message}],
        "trace": trace,
        "status_code": status,
    }
    return respond(body, status, {"X-Global-Transaction-ID": trace, **(headers or {})})


def not_found() -> Response:
    """Answer what does not exist, or must not be seen to exist."""
    return error(404, "resource_not_found", "Resource not found.")


def respond(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer JSON."""
    text, every = json.dumps(body) + "\n", {**ALWAYS, **(headers or {})}
    return Response(text, status, every, content_type="application/json")


def foreign(environ: "WSGIEnvironment") -> bool:
    """Whether the request names another host than ours: a page that rebound its name to us."""
    sent = str(environ.get("RAW_URI", "/"))
    named = [str(environ.get("HTTP_HOST", ""))]
    if not sent.startswith("/"):  # the absolute form names one too (RFC 9112, section 3.2.2)
        named.append(sent.partition("://")[2].partition("/")[0])
    return any(_bare(host).lower() not in OURS for host in named)


def _bare(host: str) -> str:
    """Give a host without its port."""
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def target(environ: "WSGIEnvironment") -> str:
    """Give path and query as they were sent, without a scheme and host before them."""
    sent = str(environ["RAW_URI"])
    return sent if sent.startswith("/") else "/" + sent.partition("://")[2].partition("/")[2]


def call(
    app: "WSGIApplication",
    path: str = "/",
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """POST to a function inside this process."""
    ours = {CALLER: "host"}
    answer = Client(app).post(
        path, data=body, headers=headers, base_url="http://127.0.0.1/", environ_overrides=ours
    )
    return Answer(answer.status_code, answer.get_data(), answer.content_type or "")


def post_json(app: "WSGIApplication", body: Any) -> Answer:
    """POST JSON to a function inside this process."""
    return call(app, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def session() -> requests.Session:
    """Give a client for addresses of this machine: no proxy of the environment may see them."""
    local = requests.Session()
    local.trust_env = False
    return local
