"""A stand-in for Google's part: the REST APIs of Cloud KMS and Secret Manager, on this machine.

Speaks as much of both as a keyring needs, as Google documents it: states, checksums, error bodies,
pages, filters, permissions of the caller (named by its bearer token). Can be told to fail, hang,
lose its answer, lie or be slow; counts the calls and how many there were at once.
"""

import base64
import fnmatch
import json
import os
import random
import re
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from shared.keys.cloud.rest import crc32c
from tests.support.google_http import GoogleError, Server, handler

PROJECT, NUMBER = "demo-keys", "1234567890"
KEY = f"projects/{PROJECT}/locations/us-central1/keyRings/reprieve/cryptoKeys/halves"
OTHER_KEY = KEY.replace("halves", "others")
PREFIX = f"projects/{PROJECT}/secrets/half-"
SIGNING = f"projects/{PROJECT}/secrets/signing-key"
SIGNING_KEYS = {"signing-key", "signing-key-public"}  # the secrets of its two halves
STATE = f"projects/{PROJECT}/secrets/state-key"
OTHERS = {*SIGNING_KEYS, "state-key"}  # the secrets that are no halves
CRYPTO_KEY = r"(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/:]+)"
VERSION = r"(?:/cryptoKeyVersions/(\d+))"
HOME, SECRET = r"projects/[^/]+/secrets", r"projects/[^/]+/secrets/([\w-]+)"
# Method, path; the operation's name here, and the permission it takes there.
ROUTES = [
    ("POST", rf"{CRYPTO_KEY}{VERSION}?:encrypt", "kms.encrypt", "cryptoKeyVersions.useToEncrypt"),
    ("POST", rf"{CRYPTO_KEY}:decrypt", "kms.decrypt", "cryptoKeyVersions.useToDecrypt"),
    ("GET", CRYPTO_KEY, "kms.key", "cryptoKeys.get"),
    ("GET", rf"{CRYPTO_KEY}/cryptoKeyVersions", "kms.list", "cryptoKeyVersions.list"),
    ("POST", rf"{CRYPTO_KEY}/cryptoKeyVersions", "kms.make", "cryptoKeyVersions.create"),
    ("POST", rf"{CRYPTO_KEY}:updatePrimaryVersion", "kms.primary", "cryptoKeys.update"),
    ("POST", rf"{CRYPTO_KEY}{VERSION}:destroy", "kms.destroy", "cryptoKeyVersions.destroy"),
    ("POST", HOME, "sm.create", "secrets.create"),
    ("GET", HOME, "sm.list", "secrets.list"),
    ("GET", SECRET, "sm.get", "secrets.get"),
    ("PATCH", SECRET, "sm.update", "secrets.update"),
    ("DELETE", SECRET, "sm.delete", "secrets.delete"),
    ("POST", rf"{SECRET}:addVersion", "sm.add", "versions.add"),
    ("GET", rf"{SECRET}/versions", "sm.versions", "versions.list"),
    ("GET", rf"{SECRET}/versions/(\d+)", "sm.version", "versions.get"),
    ("GET", rf"{SECRET}/versions/(\d+|latest):access", "sm.access", "versions.access"),
    ("POST", rf"{SECRET}/versions/(\d+):destroy", "sm.destroy", "versions.destroy"),
]


@dataclass
class Fault:
    """What happens to calls of an operation (a pattern), the first `times`, and `share` of them.

    `do` is one of

    refuse   the error `status`, not applied
    cut      the connection is closed, not applied
    lost     applied, and the connection is closed before the answer
    hang     nothing for `seconds`, then cut
    slow     applied, `seconds` later
    corrupt  applied; what the answer carries is changed on its way
    unread   applied, says that it did not see the checksum
    lie      says that it is done, and does nothing
    serve    a destruction is told everywhere, and the value is served all the same
    page     another server's page of HTML, with a 404
    """

    on: str
    do: str
    status: str = "UNAVAILABLE"
    seconds: float = 5.0
    times: int = 10**9
    share: float = 1.0

    def meets(self, operation):
        """Tell whether this call is one of those."""
        if not fnmatch.fnmatch(operation, self.on) or random.random() >= self.share:
            return False
        self.times -= 1
        return self.times >= 0


def signing_key():
    """Make a token signing key as openssl writes it, and its public half."""
    key = Ed25519PrivateKey.generate()
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def stamp(moment=None):
    """Give a time as Google writes it, now if none is given."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%f789Z")


class Google:
    """The server: its state is there for tests to look at and to change."""

    def __init__(self):
        self.lock = threading.RLock()
        self.keys, self.secrets = {}, {}
        self.faults, self.calls, self.callers = [], [], Counter()
        self.most, self._under_way = Counter(), Counter()
        self.allowed = {}  # by caller; who is not named may do everything
        self.imposed = {}  # on every new secret, by a policy
        self.behind = timedelta(0)  # how old what is made now is said to be
        self.add_key(KEY)
        for name in SIGNING_KEYS:
            self.secrets[name] = self.secret({})
        self.add_signing_key()
        self.secrets["state-key"] = self.secret({})
        self.secrets["state-key"]["versions"].append({"state": "ENABLED", "data": os.urandom(32)})
        self.server = Server(("127.0.0.1", 0), handler(self))
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def close(self):
        """End it."""
        self.server.shutdown()
        self.server.server_close()

    def as_(self, caller):
        """Give the address for a caller, as CE_GOOGLE takes it."""
        return self.address.replace("//", f"//{caller}@")

    def env(self, caller="any"):
        """Give the settings of a deployment that uses it."""
        names = {"CE_KMS_KEY": KEY, "CE_KEY_SECRETS": PREFIX, "CE_SIGNING_KEY": SIGNING}
        return {**names, "CE_STATE_KEY": STATE, "CE_GOOGLE": self.as_(caller)}

    def fault(self, *faults):
        """Put faults in force in place of others, and count anew."""
        with self.lock:
            self.faults, self.calls = list(faults), []
            self.most.clear()

    def busy(self):
        """Tell whether calls are under way, also such as nobody waits for any more."""
        with self.lock:
            return any(self._under_way.values())

    def halves(self):
        """Give the projects that have a half which is not destroyed."""
        with self.lock:
            return {
                name.removeprefix("half-")
                for name, secret in self.secrets.items()
                if name.startswith("half-")
                and any(version["state"] != "DESTROYED" for version in secret["versions"])
            }

    def add_signing_key(self, key=None):
        """Make a version of the signing key, and one of its public half: of `key`, or any."""
        for name, pem in zip(sorted(SIGNING_KEYS), key or signing_key(), strict=True):
            self.secrets[name]["versions"].append({"state": "ENABLED", "data": pem})

    def add_key(self, name):
        """Make a key with one version."""
        self.keys[name] = {"versions": [], "primary": 1}
        self.add_version(self.keys[name])

    def add_version(self, key):
        """Make a version of a key."""
        made = {"createTime": stamp(datetime.now(UTC) - self.behind), "state": "ENABLED"}
        key["versions"].append({**made, "material": os.urandom(32)})
        return len(key["versions"])

    def secret(self, told, values=()):
        """Make a secret's record."""
        made = {"createTime": stamp(datetime.now(UTC) - self.behind), "versions": []}
        secret = {"told": told | {"createTime": made["createTime"]}, **made}
        for value in values:
            secret["versions"].append({"state": "ENABLED", "data": value})
        return secret

    def answer(self, method, path, query, body, caller):
        """Give the operation and its answer, and the fault that met it; raises GoogleError."""
        if not caller:
            raise GoogleError("UNAUTHENTICATED")
        operation, permission, names = _route(method, path)
        api = operation.partition(".")[0]
        with self.lock:
            self.calls.append(operation)
            self.callers[caller] += 1
            self._under_way[api] += 1
            self.most[api] = max(self.most[api], self._under_way[api])
            fault = next((fault for fault in self.faults if fault.meets(operation)), None)
        try:
            return self._answer(operation, permission, names, query, body, caller, fault)
        finally:
            with self.lock:
                self._under_way[api] -= 1

    def token(self, raw):
        """Give the status and body of OAuth's answer to a service account: a token is its name."""
        with self.lock:
            self.calls.append("token")
            fault = next((fault for fault in self.faults if fault.meets("token")), None)
        if fault:
            return 503, "canary-in-an-answer"
        claims = jwt.decode(
            parse_qs(raw.decode())["assertion"][0], options={"verify_signature": False}
        )
        name = claims["iss"].partition("@")[0]
        return 200, json.dumps({"access_token": name, "expires_in": 3600, "token_type": "Bearer"})

    def _answer(self, operation, permission, names, query, body, caller, fault):
        do = fault.do if fault else ""
        if do in ("hang", "slow"):
            time.sleep(fault.seconds)
        if do == "refuse":
            raise GoogleError(fault.status)
        if do in ("cut", "hang", "page"):
            return {}, do
        self._permit(caller, permission, names)
        with self.lock:
            act = getattr(self, "_" + operation.replace(".", "_"))
            answer = act(*names, body=body, query=query, do=do)
        if do == "corrupt":
            for name in ("ciphertext", "plaintext"):
                answer |= {name: _flipped(answer[name])} if name in answer else {}
            if "payload" in answer:
                answer["payload"]["data"] = _flipped(answer["payload"]["data"])
        if do == "unread":
            answer = {name: value for name, value in answer.items() if value is not True}
        return answer, do

    def _permit(self, caller, permission, names):
        """Grant on the key, on the project, on the secrets that begin with the prefix."""
        granted = self.allowed.get(caller)
        if names and names[0] in SIGNING_KEYS:
            permission += "@public" if names[0].endswith("-public") else "@signing"
        if names and names[0] == "state-key":
            permission += "@state"
        if granted is None or permission in granted:
            return
        raise GoogleError("PERMISSION_DENIED")

    # Cloud KMS

    def _key(self, name):
        if name not in self.keys:
            raise GoogleError("NOT_FOUND")
        return self.keys[name]

    def _told(self, name, number):
        version = self._key(name)["versions"][number - 1]
        shown = {key: value for key, value in version.items() if key != "material"}
        return {"name": f"{name}/cryptoKeyVersions/{number}", **shown}

    def _material(self, name, number):
        version = self._key(name)["versions"][number - 1]
        if version["state"] != "ENABLED":
            raise GoogleError("FAILED_PRECONDITION", f"The version is {version['state']}.")
        return AESGCM(version["material"])

    def _kms_encrypt(self, name, number, *, body, **_):
        number = int(number or self._key(name)["primary"])
        cipher, nonce = self._material(name, number), os.urandom(12)
        plain, bound = _sent(body, "plaintext"), _sent(body, "additionalAuthenticatedData")
        sealed = number.to_bytes(4, "big") + nonce + cipher.encrypt(nonce, plain, bound)
        return {
            "name": f"{name}/cryptoKeyVersions/{number}",
            **_carried("ciphertext", sealed),
            "verifiedPlaintextCrc32c": True,
            "verifiedAdditionalAuthenticatedDataCrc32c": True,
            "protectionLevel": "SOFTWARE",
        }

    def _kms_decrypt(self, name, *, body, **_):
        sealed, bound = _sent(body, "ciphertext"), _sent(body, "additionalAuthenticatedData")
        number = int.from_bytes(sealed[:4], "big")
        if not 0 < number <= len(self._key(name)["versions"]):
            raise GoogleError("INVALID_ARGUMENT", "Decryption failed.")
        cipher = self._material(name, number)
        with suppress(InvalidTag, ValueError):
            plain = cipher.decrypt(sealed[4:16], sealed[16:], bound)
            return {**_carried("plaintext", plain), "usedPrimary": True}
        raise GoogleError("INVALID_ARGUMENT", "Decryption failed.")

    def _kms_key(self, name, **_):
        primary = self._told(name, self._key(name)["primary"])
        return {"name": name, "primary": primary, "purpose": "ENCRYPT_DECRYPT"}

    def _kms_list(self, name, *, query, **_):
        numbers = range(1, len(self._key(name)["versions"]) + 1)
        told = [self._told(name, number) for number in numbers]
        state = query.get("filter", "").removeprefix("state=")
        return _paged([one for one in told if one["state"] == state], "cryptoKeyVersions", query)

    def _kms_make(self, name, **_):
        return self._told(name, self.add_version(self._key(name)))

    def _kms_primary(self, name, *, body, **_):
        number = int(body["cryptoKeyVersionId"])
        self._material(name, number)
        self._key(name)["primary"] = number
        return self._kms_key(name)

    def _kms_destroy(self, name, number, *, do, **_):
        version = self._key(name)["versions"][int(number) - 1]
        if version["state"] not in ("ENABLED", "DISABLED"):
            raise GoogleError("FAILED_PRECONDITION")
        if do != "lie":
            version["state"] = "DESTROY_SCHEDULED"
        return self._told(name, int(number))

    # Secret Manager

    def _found(self, name):
        if name not in self.secrets:
            raise GoogleError("NOT_FOUND", f"Secret [{name}] not found or has no versions.")
        return self.secrets[name]

    def _shown(self, name):
        told = self._found(name)["told"]
        return {"name": f"projects/{NUMBER}/secrets/{name}", "etag": '"0"', **told}

    def _numbered(self, name, number):
        versions = self._found(name)["versions"]
        number = len(versions) if number == "latest" else int(number)
        if not 0 < number <= len(versions):
            raise GoogleError("NOT_FOUND")
        return number, versions[number - 1]

    def _version(self, name, number):
        number, version = self._numbered(name, number)
        shown = {key: version[key] for key in version.keys() - {"data", "served"}}
        return {"name": f"projects/{NUMBER}/secrets/{name}/versions/{number}", **shown}

    def _sm_create(self, *, query, body, **_):
        name = query["secretId"]
        if name in self.secrets:
            raise GoogleError("ALREADY_EXISTS")
        if not re.fullmatch(r"[\w-]{1,255}", name) or "replication" not in body:
            raise GoogleError("INVALID_ARGUMENT")
        self.secrets[name] = self.secret(body | self.imposed)
        return self._shown(name)

    def _sm_list(self, *, query, **_):
        label, state = re.fullmatch(r"labels\.([\w-]+)(:\*|=\w+)", query["filter"]).groups()
        shown = [self._shown(name) for name in sorted(self.secrets)]
        found = [one for one in shown if label in one.get("labels", {})]
        if state != ":*":
            found = [one for one in found if one["labels"][label] == state[1:]]
        return _paged(found, "secrets", query)

    def _sm_get(self, name, **_):
        return self._shown(name)

    def _sm_update(self, name, *, query, body, **_):
        self._found(name)["told"] |= {key: body[key] for key in query["updateMask"].split(",")}
        return self._shown(name)

    def _sm_delete(self, name, **_):
        del self.secrets[self._shown(name)["name"].rpartition("/")[2]]
        return {}

    def _sm_add(self, name, *, body, **_):
        versions = self._found(name)["versions"]
        versions.append({"state": "ENABLED", "data": _sent(body["payload"], "data")})
        return self._version(name, "latest") | {"clientSpecifiedPayloadChecksum": True}

    def _sm_versions(self, name, *, query, **_):
        count = len(self._found(name)["versions"])
        told = [self._version(name, number) for number in range(count, 0, -1)]
        return _paged(told, "versions", query)

    def _sm_version(self, name, number, **_):
        return self._version(name, number)

    def _sm_access(self, name, number, **_):
        number, version = self._numbered(name, number)
        if version["state"] != "ENABLED" and not version.get("served"):
            raise GoogleError("FAILED_PRECONDITION", f"The version is {version['state']}.")
        shown = self._version(name, number)["name"]
        return {"name": shown, "payload": _carried("data", version["data"])}

    def _sm_destroy(self, name, number, *, do, **_):
        version = self._numbered(name, number)[1]
        gone = {"state": "DESTROYED", "destroyTime": version.get("destroyTime", stamp())}
        if do == "lie":
            return self._version(name, number) | gone
        if self._found(name)["told"].get("versionDestroyTtl"):
            version |= {"state": "DISABLED", "scheduledDestroyTime": stamp()}
        elif do == "serve":
            version |= {**gone, "served": True}
        else:
            version |= {**gone, "data": b"", "served": False}
        return self._version(name, number)


def _route(method, path):
    for verb, pattern, operation, permission in ROUTES:
        found = re.fullmatch(pattern, path)
        if found and verb == method:
            return operation, permission, found.groups()
    raise GoogleError("NOT_FOUND")


def _sent(body, name):
    """Give the bytes of a member; refuse them if their checksum is wrong."""
    data = base64.b64decode(body[name])
    if crc32c(data) != int(body[f"{name}Crc32c"]):
        raise GoogleError("INVALID_ARGUMENT", f"The checksum of {name} did not match.")
    return data


def _carried(name, data):
    return {name: base64.b64encode(data).decode(), f"{name}Crc32c": str(crc32c(data))}


def _flipped(text):
    data = bytearray(base64.b64decode(text))
    data[0] ^= 1
    return base64.b64encode(data).decode()


def _paged(entries, key, query):
    token, size = query.get("pageToken", "0"), int(query.get("pageSize", 100))
    if not token.isdecimal():
        raise GoogleError("INVALID_ARGUMENT", "The page token is not valid.")
    start = int(token)
    page = {key: entries[start : start + size]} if entries[start:] else {}
    more = {"nextPageToken": str(start + size)} if entries[start + size :] else {}
    return {**page, **more, "totalSize": len(entries)}
