"""Another region's deployment on a host's database: the real functions, served from this process.

It has the host's store, keys and clock, and no events: those go to the host.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest import mock

import flask
from werkzeug.serving import make_server

from functions.binding import FUNCTIONS
from functions.http_api import api, identity
from shared.app import App
from shared.settings import Settings
from shared.wire import serving
from tests.support import Account, Host

BY_NAME = "/functions/"
APP: ContextVar[App] = ContextVar("APP")  # of the request that is being served


class Abroad:
    """What `Account` asks for of a host, of a deployment in another region."""

    def __init__(self, host: Host, region: str, **env: str) -> None:
        settings = {**host.info["env"], **env, "CE_REGION": region}
        self.app = App.from_settings(Settings.from_env(settings))
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.functions = self.url + BY_NAME.rstrip("/")

    def seen_by(self, account: Account) -> Account:
        """Give the same caller, who asks here, with the token there is."""
        caller = Account(self, account.id, account.apikey)  # type: ignore[arg-type]
        caller.token = account.token
        return caller

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        APP.set(self.app)
        path = environ["PATH_INFO"]
        function = identity if path.startswith(("/v1/apikeys", "/identity/")) else api
        if path.startswith(BY_NAME):
            function = FUNCTIONS[path.removeprefix(BY_NAME)]
            environ |= dict.fromkeys(("PATH_INFO", "RAW_URI", "REQUEST_URI"), "/")
        answer: Any = function(flask.Request(environ))
        return answer(environ, start)


@contextmanager
def abroad(host: Host, region: str = "eu-de", **env: str) -> Iterator[Abroad]:
    """Run another region's deployment beside a host."""
    there = Abroad(host, region, **env)
    serves = threading.Thread(target=there._server.serve_forever, daemon=True)
    with mock.patch.object(serving, "get_app", APP.get):
        serves.start()
        try:
            yield there
        finally:
            there._server.shutdown()
            there._server.server_close()
            serves.join(10)
