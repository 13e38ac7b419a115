"""Plants values wherever a secret may enter: at its place and at wrong ones.

In calls that succeed and in all manner of ones that fail; what refusals answer is kept.
"""

import gzip
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from shared.kinds import KINDS, SECRETS
from tests.faults.canaries import Canaries, processes
from tests.faults.hosts import worker
from tests.support import GRANT, ROOT, told, until
from tests.support.kinds import BY_KIND, MERGE
from tests.support.kinds_examples import filled

FORMATS = {
    "generic": ("key", "other.key"),
    "basic_auth": ("username", "password", "extra"),
    "ssh_auth": ("ssh_key", "known_hosts"),
    "tls": ("tls_cert", "tls_key", "ca"),
    "registry": ("username", "password", "server", "email"),
    "hmac_auth": ("access_key_id", "secret_access_key", "extra"),
    "service_access": ("credentials",),
    "service_operator": ("apikey",),
}
MADE_FROM = {
    "service_access": {"service_access": {"service_instance": {"id": "0" * 36}}},
    "service_operator": {"service_operator": {}},
}
ONE_LINE = {"server": {"odd": ""}}  # what may hold no line break
HEADERS = ("If-Match", "Accept", "Content-Type", "Content-Encoding", "Cookie", "User-Agent")
HEADERS += ("X-Request-Id", "Transfer-Encoding", "Expect", "Host", "Origin", "Forwarded", "Range")
SCHEMES = ("Basic {}", "Bearer {}", "{}", "Bearer  {} x", "Digest username={}")
DOWN = {"do": "before", "error": "down"}
# What befalls a host while values pass through it: rules of `faulty`, and who asks.
TROUBLE = {
    "the store is away": [{"on": "commit", "do": "before"}],
    "the store answers nothing": [{"on": "commit", "do": "after", "error": "DeadlineExceeded"}],
    "the store cannot be read": [{"on": "batch_get_documents", "do": "before"}],
    "the store's client has a bug": [{"on": "commit", "do": "before", "error": "crash"}],
    "its thread dies": [{"on": "commit", "do": "thread", "error": "crash"}],
    "sealing has a bug": [{"on": "lock", "do": "before", "error": "quote"}],
    "opening has a bug": [{"on": "unlock", "do": "before", "error": "quote"}],
    "a thread of sealing dies": [{"on": "lock", "do": "thread", "error": "quote"}],
    "the key store is away": [{"on": "get", **DOWN}],
    "the key store is full": [{"on": "put", "do": "before", "error": "full"}],
}


class Planting:
    """One host, one account, two projects in it, and what was planted and answered."""

    def __init__(self, host: Any) -> None:
        self.host, self.values = host, Canaries()
        self.account = host.account()
        self.doomed, self.kept = self.account.project(), self.account.project()
        self.refusals: dict[str, bytes] = {}
        self.statuses: list[int] = []
        self.seen: dict[str, bytes] = {}  # of processes
        self.said: dict[str, bytes] = {}  # by `ce`

    def path(self, rest: str = "secrets", project: Any = None) -> str:
        """Give a path below a project."""
        return f"/v2/projects/{(project or self.doomed)['id']}/{rest}"

    def told(self, place: str, answer: requests.Response) -> requests.Response:
        """Keep what an answer says, unless it may hold values: those of success do."""
        self.statuses.append(answer.status_code)
        if answer.status_code >= 400:
            head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            self.refusals[place] = head.encode() + b"\n\n" + answer.content
        return answer

    def call(self, place: str, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """Make a call and keep a refusal."""
        return self.told(place, self.account.call(method, path, body, **how))

    def body(self, place: str, name: str, form: str = "generic") -> dict[str, Any]:
        """Give a body with a value in every field of a format."""
        data = {
            key: self.values.plant(f"{place} {form}.{key}", **ONE_LINE.get(key, {}))
            for key in FORMATS[form]
        }
        return {"name": name, "format": form, "data": data, **MADE_FROM.get(form, {})}

    def everything(self) -> None:
        """Plant in all places, one group after the other."""
        for project in (self.doomed, self.kept):
            self.secrets(project)
            self.kinds(project)
        self.keys()
        self.large()
        self.by_name()
        self.bodies()
        self.addresses_and_headers()
        self.identity()
        self.troubles()
        self.crashes()

    def secrets(self, project: Any) -> None:
        """Create each format, and replace what can be."""
        for form in FORMATS:
            place, one = f"secret of {project['id']}", f"a-{form.replace('_', '-')}"
            path = self.path(project=project)
            made = self.call(place, "POST", path, self.body(place, one, form))
            assert made.status_code == 201, told.told(made)
            again = self.body(f"{place} again", one, form)
            status = 409 if form in MADE_FROM else 200
            answer = self.call(
                f"{place} {form}", "PUT", f"{path}/{one}", again, headers={"If-Match": "*"}
            )
            assert answer.status_code == status
        ours = f"/v1/projects/{project['id']}/secrets/a-generic"
        for key in FORMATS["generic"]:
            body = {"data": {key: self.values.plant(f"patch of {project['id']} {key}")}}
            sent = self.call("patch", "PATCH", ours, body, headers={"If-Match": "*", **MERGE})
            assert sent.status_code == 200, told.told(sent)
            assert self.call("read", "GET", f"{ours}/keys/{key}").json()["value"]
        for body in (
            {"data": {"key": {"k": self.values.plant(f"a map in a patch of {project['id']}")}}},
            {"data": {self.values.plant(f"a key of a patch of {project['id']}"): "v"}},
            {"data": self.values.plant(f"a flat patch of {project['id']}")},
        ):
            refused = self.call("no patch", "PATCH", ours, body, headers={"If-Match": "*"})
            assert refused.status_code == 400
        key = quote(self.values.plant(f"a key that is none of {project['id']}"), safe="")
        assert self.call("no key", "GET", f"{ours}/keys/{key}").status_code == 400

    def kinds(self, project: Any) -> None:
        """Create and update every other kind, with values in all that is sealed."""
        for number, kind in enumerate(KINDS, 1):
            if kind is SECRETS:
                continue
            example, place = BY_KIND[kind], f"{kind.noun} of {project['id']}"
            path = self.path(kind.collection, project)
            body = self.values.filled(place, example.body(number, example.full))
            made = self.call(place, "POST", path, body)
            assert made.status_code == kind.created, told.told(made)
            if kind.update:
                change = self.values.filled(f"{place} again", filled(example.change, number, ""))
                head = {"If-Match": "*"} | (MERGE if kind.update == "PATCH" else {})
                one = f"{path}/{made.json()[kind.key]}"
                assert self.call(place, kind.update, one, change, headers=head).status_code == 200

    def keys(self) -> None:
        """Note API keys and tokens, which are made here and not sent."""
        made = self.account.another_key("administrator")
        self.values.keys |= {
            "an API key": self.account.apikey,
            "its secret part": self.account.apikey.split("_", 2)[2],
            "another API key": made.apikey,
            "a token": self.account.token,
            "another token": made.token,
            "a token's signature": made.token.rpartition(".")[2],
        }

    def large(self) -> None:
        """Plant in values that are stored in parts, and in some that are too large."""
        for place, size, status in (("parts", 900_000, 201), ("too large", 1_048_577, 400)):
            value = self.values.plant(place)
            body = {"name": "large", "format": "generic", "data": {"k": value * 2 + "x" * size}}
            assert self.call(place, "POST", self.path(), body).status_code == status

    def by_name(self) -> None:
        """Plant through the functions called by name."""
        home = {"project_id": self.doomed["id"]}
        made = self.account.function("putSecret", **home, **self.body("by name", "by-name"))
        assert self.told("by name", made).status_code == 201
        again = self.body("by name again", "by-name")
        replaced = self.account.function("putSecret", **home, **again, if_match="*")
        assert self.told("by name again", replaced).status_code == 200
        rows: dict[str, tuple[str, dict[str, Any]]] = {
            "getSecret": ("name", home),
            "listSecrets": ("limit", home),
            "createProject": ("name", {}),
            "getProject": ("id", {}),
            "putJob": ("image_reference", home | {"name": "j"}),
            "putConfigMap": ("data", home | {"name": "c"}),
            "createApiKey": ("roles", {"name": "k"}),
            "issueToken": ("grant_type", {}),
            "reclaimProject": ("id", {}),
        }
        for name, (member, rest) in rows.items():
            value = self.values.plant(f"{member} of {name}")
            answer = self.account.function(name, **rest, **{member: value})
            assert self.told(name, answer).status_code >= 400
        old = told.body(made, 201)["entity_tag"]
        for place, tag, status in (("stale", old, 412), ("no tag", self.values.word("tag"), 400)):
            body = self.body(f"{place} by name", "by-name") | {"if_match": tag}
            answer = self.told(place, self.account.function("putSecret", **home, **body))
            assert answer.status_code == status, told.told(answer)

    def bodies(self) -> None:
        """Plant in bodies that are refused."""
        value = self.values.plant
        whole = json.dumps(self.body("whole", "b"), ensure_ascii=False).encode()
        data = json.dumps({"k": value("twice")}).encode()
        rows: dict[str, tuple[bytes, dict[str, str]]] = {
            "cut": (whole[:-1], {}),
            "twice": (whole[:-1] + b', "data": ' + data + b"}", {}),
            "not UTF-8": (whole.replace(b'"b"', b'"b\xff"'), {}),
            "UTF-16": (whole.decode().encode("utf-16"), {}),
            "marked": (b"\xef\xbb\xbf" + whole, {}),
            "an array": (json.dumps([value("array")]).encode(), {}),
            "bare": (json.dumps(value("bare")).encode(), {}),
            "deep": (b"[" * 99 + json.dumps(value("deep")).encode() + b"]" * 99, {}),
            "surrogate": (json.dumps(value("half") + "\ud800").encode(), {}),
            "NaN": (b'{"name": NaN, "data": ' + data + b"}", {}),
            "a form": (b"data=" + quote(value("form")).encode(), {}),
            "not gzip": (whole, {"Content-Encoding": "gzip"}),
            "half of gzip": (gzip.compress(whole)[:-9], {"Content-Encoding": "gzip"}),
            "a bomb": (gzip.compress(whole + b" " * 30_000_000), {"Content-Encoding": "gzip"}),
            "deflate": (whole, {"Content-Encoding": "deflate"}),
            "another charset": (whole, {"Content-Type": "application/json; charset=latin-1"}),
            "text": (whole, {"Content-Type": "text/plain"}),
            "HTML wanted": (whole, {"Accept": "text/html"}),
        }
        rows |= {
            place: (json.dumps(body).encode(), {})
            for place, body in {
                "a format": self.body("a", "b") | {"format": value("format")},
                "a name": self.body("n", value("name")),
                "a list": self.body("l", "b") | {"data": {"k": [value("list")]}},
                "a map": self.body("m", "b") | {"data": {"k": {"l": value("map")}}},
                "flat": self.body("f", "b") | {"data": value("flat")},
                "a key": self.body("k", "b") | {"data": {value("data key"): "v"}},
                "a format without its keys": self.body("tls", "b") | {"format": "tls"},
            }.items()
        }
        for place, (raw, head) in rows.items():
            sent = {"Content-Type": "application/json", **head}
            answer = self.call(place, "POST", self.path(), None, data=raw, headers=sent)
            assert answer.status_code >= 400, place
        for kind in KINDS:
            odd = {"name": value(f"a {kind.noun}'s name"), "x": value(f"unknown to a {kind.noun}")}
            answer = self.call(kind.noun, "POST", self.path(kind.collection), odd)
            assert answer.status_code == 400
        assert self.call("project", "POST", "/v2/projects", {"name": value("p")}).status_code == 400

    def addresses_and_headers(self) -> None:
        """Plant in addresses, headers and first lines, on every port."""
        info, word = self.host.info, self.values.word
        for port in ("hosting", "functions", "hub"):
            for place, target in {
                "path": f"/v2/projects/{word(f'{port} path')}",
                "deep path": f"{self.path()}/{quote(self.values.plant(f'{port} deep'), safe='')}",
                "first segment": f"/{word(f'{port} first')}",
                "query": f"{self.path()}?start={word(f'{port} query')}&limit=x",
                "unknown query": f"/v2/none?token={quote(self.values.plant(f'{port} unknown'))}",
                "absolute": f"http://{word(f'{port} authority')}/v2/projects",
            }.items():
                self._raw(f"{port} {place}", info[port], f"GET {target} HTTP/1.1")
            for name in HEADERS:
                value = word(f"{port} {name}")
                self._raw(f"{port} {name}", info[port], "POST /v2 HTTP/1.1", f"{name}: {value}")
            for scheme in SCHEMES:
                sent = "Authorization: " + scheme.format(word(f"{port} {scheme}"))
                self._raw(f"{port} {scheme}", info[port], "GET /v2/projects HTTP/1.1", sent)
            self._raw(f"{port} method", info[port], f"{word(f'{port} method')} / HTTP/1.1")
            self._raw(f"{port} version", info[port], f"GET / {word(f'{port} version')}")
            self._raw(f"{port} name", info[port], "GET / HTTP/1.1", f"{word(f'{port} name')}: x")
            self._raw(f"{port} space", info[port], "GET / HTTP/1.1", f"X : {word(f'{port} sp')}")
        one = self.path("secrets/a-generic")
        for method, tag, status in (
            ("PUT", word("a tag that is none"), 400),
            ("PUT", "0" * 16, 412),
            ("POST", "*", 405),
        ):
            body = self.body(f"at {tag[:4]} {method}", "a-generic")
            answer = self.call(f"{method} {status}", method, one, body, headers={"If-Match": tag})
            assert answer.status_code == status

    def _raw(self, place: str, url: str, first: str, header: str = "X-A: b") -> None:
        address = urlsplit(url)
        host = "" if header.startswith("Host:") else "Host: localhost\r\n"
        token = "" if "Authorization" in header else f"Authorization: {self.account.token}\r\n"
        text = f"{first}\r\n{host}{token}Connection: close\r\n{header}\r\n\r\n"
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            connection.sendall(text.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        status = int(answer[9:12])
        self.statuses.append(status)
        if status >= 400:
            self.refusals[place] = answer

    def identity(self) -> None:
        """Plant in what is exchanged for a token, and in what the operator sends."""
        url, value = f"{self.host.url}/identity/token", self.values.plant
        forms: list[dict[str, Any]] = [
            {"grant_type": GRANT, "apikey": value("an unknown key")},
            {"grant_type": GRANT, "apikey": "ce_0f_" + value("a key's secret part")},
            {"grant_type": value("grant type"), "apikey": value("with a grant type")},
            {"grant_type": GRANT, "apikey": [value("two keys"), value("two keys, the second")]},
            {"grant_type": GRANT, "password": value("a password instead")},
        ]
        for number, form in enumerate(forms):
            answer = requests.post(url, data=form, timeout=30)
            assert self.told(f"form {number}", answer).status_code == 400
        as_json = requests.post(url, json={"apikey": value("JSON key")}, timeout=30)
        assert self.told("key as JSON", as_json).status_code >= 400
        claims = quote(value("claims"))
        forged = f"eyJhbGciOiJub25lIn0.{claims}.{self.values.word('signature')}"
        answer = requests.get(
            f"{self.host.url}/v2/projects", headers={"Authorization": forged}, timeout=30
        )
        assert self.told("a forged token", answer).status_code == 401
        info = self.host.info
        head = {"Authorization": f"Bearer {info['token']}"}
        for path, body in {
            "/functions/createAccount": {"apikey": value("an operator's key"), "account_id": "x"},
            f"/functions/{self.values.word('a function')}": {"k": value("for no function")},
            "/clock/advance": {"seconds": value("seconds")},
        }.items():
            answer = requests.post(info["hub"] + path, json=body, headers=head, timeout=30)
            assert self.told(f"hub {path}", answer).status_code >= 400

    def troubles(self) -> None:
        """Plant while everything fails that can: errors that quote values among it."""
        statuses = set()
        for name, rules in TROUBLE.items():
            self.host.script(*rules)
            place = f"while {name}"
            with suppress(requests.RequestException):
                body = self.body(place, f"t-{len(statuses)}")
                statuses.add(self.call(place, "POST", self.path(), body).status_code)
            again = self.body(f"{place} again", "a-generic")
            one, head = self.path("secrets/a-generic"), {"If-Match": "*"}
            self.call(f"{place} again", "PUT", one, again, headers=head)
            ours = one.replace("/v2/", "/v1/", 1)
            data = {"data": {"key": self.values.plant(f"{place} patch")}}
            self.call(f"{place} patch", "PATCH", ours, data, headers=head)
            self.call(f"{place} one value", "GET", f"{ours}/keys/key")
            self.call(f"{place} read", "GET", one)
            self.call(f"{place} list", "GET", self.path())
            self.call(f"{place} project", "POST", "/v2/projects", {"name": "p"})
        self.host.script()
        assert statuses >= {500, 503}

    def crashes(self) -> None:
        """Kill the worker in the middle of a write, without and with a picture of its memory."""
        for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
            self.host.script({"on": "commit", "do": "delay", "seconds": 4})
            body = self.body(f"killed by {number}", f"k-{int(number)}")
            pid = worker(self.host)
            killing = threading.Timer(1, os.kill, [pid, number])
            killing.start()
            with suppress(requests.RequestException):
                self.call(f"killed by {number}", "POST", self.path(), body)
            killing.join()
            until(lambda: worker(self.host) not in (0, pid), 60)  # noqa: B023 - called at once
            self.host.script()
            until(self._serves, 60)

    def _serves(self) -> bool:
        with suppress(requests.RequestException):
            return self.account.call("GET", "/v2/projects").status_code == 200
        return False

    def watch(self) -> None:
        """Look at the arguments and the environment of the host's processes."""
        pids = {"host": self.host.process.pid, "worker": worker(self.host)}
        pids["firestore"] = self.host.firestore.process.pid
        self.seen |= processes(**pids)


class Program:
    """The `ce` program as processes of its own, logged in by a profile."""

    def __init__(self, planting: Planting, home: Any, temporary: Any) -> None:
        self.planting, self.home = planting, home
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("CE_", "CODE_ENG"))}
        self.env |= {"CE_HOME": str(home), "TMPDIR": str(temporary)}
        self.profile = home / "profiles" / "other.json"
        self.profile.parent.mkdir(parents=True)
        login = {"url": f"{planting.host.url}/v2", "apikey": planting.account.apikey}
        self.profile.write_text(json.dumps(login | {"auth_url": planting.host.url}))
        (home / "active").write_text("other\n")

    def run(self, *args: str, text: str = "") -> int:
        """Run it; look at its arguments and environment, and keep what it says."""
        what, seen = " ".join(args[:2]), self.planting.seen
        pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen(
            [sys.executable, "-m", "ce", *args], cwd=ROOT, env=self.env, **pipes
        ) as process:
            seen |= processes(**{f"ce {what} {len(seen)}": process.pid})
            out, err = process.communicate(text.encode(), timeout=60)
        self.planting.said[f"{what} {len(seen)}"] = out + err
        return process.returncode

    def prompted(self, answer: str, *args: str) -> int:
        """Run it in a terminal, and type an answer at its prompt."""
        pid, terminal = pty.fork()
        if pid == 0:  # pragma: no cover -- the child becomes ce
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-m", "ce", *args], self.env)
        shown, end = b"", time.monotonic() + 60
        with suppress(OSError):
            while time.monotonic() < end:
                shown += os.read(terminal, 4096)
                if shown.endswith(b"> "):
                    self.planting.seen |= processes(**{"ce at its prompt": pid})
                    os.write(terminal, answer.encode() + b"\n")
                    shown += b"\n"
        os.close(terminal)
        self.planting.said["ce at its prompt"] = shown
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def everything(self, folder: Any) -> None:
        """Give it values in every way there is to, but for the command line."""
        value, file, env_file = self.planting.values.plant, folder / "value", folder / "env"
        file.write_text(value("ce: a file"))
        odd = "".join(c for c in value("ce: an env file") if c.isprintable())
        env_file.write_text(f"KEY={odd}\n")
        assert self.run("project", "select", "-n", self.planting.kept["name"]) == 0
        for args, text in {
            ("secret", "create", "-n", "ce-in", "-f", "K=-"): value("ce: standard input"),
            ("secret", "create", "-n", "ce-file", "-f", f"K={file}", "-e", str(env_file)): "",
            ("secret", "create", "-n", "ce-json", "--fo", "hmac", "--json", "-"): json.dumps(
                {"access_key_id": value("ce: id"), "secret_access_key": value("ce: JSON")}
            ),
            ("registry", "create", "-n", "ce-hub", "-u", "me", "-s", "docker.io", "--pfj", "-"): (
                json.dumps({"apikey": value("ce: a registry's password")})
            ),
            ("secret", "update", "-n", "ce-in", "-f", "K=-"): value("ce: an update"),
            ("secret", "get", "-n", "ce-hub", "-o", "json"): "",
            ("secret", "list"): "",
        }.items():
            assert self.run(*args, text=text) == 0, args
        asked = ("secret", "create", "-n", "ce-asked", "--format", "basic_auth", "-u", "me")
        typed = value("ce: a prompt", " %/+&=?#\"\\'<>é")
        assert self.prompted(typed, *asked) == 0
        for args, text in {
            ("secret", "create", "-n", "ce-in", "-f", "K=-"): value("ce: a name that is taken"),
            ("secret", "create", "-n", "B_D", "-f", "K=-"): value("ce: a name that is none"),
            ("secret", "create", "-n", "x", "--format", "tls", "--json", "-"): value("ce: no JSON"),
            ("secret", "create", "-n", "x", "-e", str(file)): "",
            ("secret", "create", "-n", "x", "--fo", "hmac", "--json", "-"): json.dumps(
                [value("ce: a list")]
            ),
        }.items():
            assert self.run(*args, text=text) != 0, args
