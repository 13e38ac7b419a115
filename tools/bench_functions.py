"""What the benchmark compares with: functions that do the same round trips and nothing else.

Loaded as `functions/main.py` of a copy of this repository, beside the real functions.
"""

import os
import uuid

import functions_framework
import grpc
from functions.real_main import *  # noqa: F403 - the real ones, under their names
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

DATABASE = f"projects/{os.environ['GOOGLE_CLOUD_PROJECT']}/databases/(default)"
CALL = {"retry": None, "timeout": 10, "metadata": [("authorization", "Bearer owner")]}
channel = grpc.insecure_channel(os.environ["FIRESTORE_EMULATOR_HOST"])
client = FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))


def path(*parts):
    """Give a document's full name."""
    return "/".join((DATABASE, "documents", *parts))


def read(*names):
    """Read documents in one round trip."""
    request = {"database": DATABASE, "documents": list(names)}
    return [answer.found for answer in client.batch_get_documents(request, **CALL)]


@functions_framework.http
def hello(_):
    """Answer."""
    return {"hello": "world"}


def entry():
    """Give the write of an entry."""
    name = path("audit", str(uuid.uuid4()))
    update = {"name": name, "fields": {"a": {"string_value": "b"}}}
    return {"update": update, "current_document": {"exists": False}}


@functions_framework.http
def bareGet(request):
    """Read what getSecret reads, and write its entry."""
    body = request.get_json()
    home = path("projects", body["project_id"])
    found = read(home, f"{home}/keys/current", f"{home}/secrets/{body['name']}")
    client.commit({"database": DATABASE, "writes": [entry()]}, **CALL)
    return {"name": found[2].name, "size": len(found)}


@functions_framework.http
def barePut(request):
    """Read what putSecret reads, and write what it writes: secret, no-op on project, entry."""
    body = request.get_json()
    home = path("projects", body["project_id"])
    secret = f"{home}/secrets/bare-{body['name']}"
    found = {doc.name: doc for doc in read(home, f"{home}/keys/current", secret)}
    fields = {"data": {"bytes_value": body["data"]["k"].encode()}, "name": {"string_value": "x"}}
    verified = {"update_time": found[home].update_time}
    writes = [
        {"update": {"name": secret, "fields": fields}},
        {"update": {"name": home}, "update_mask": {}, "current_document": verified},
        entry(),
    ]
    client.commit({"database": DATABASE, "writes": writes}, **CALL)
    return {"name": secret}


@functions_framework.http
def bareList(request):
    """Make the query that listProjects makes."""
    account = request.get_json()["account"]
    equal = {"field": {"field_path": "account_id"}, "op": 5, "value": {"string_value": account}}
    query = {
        "from_": [{"collection_id": "projects"}],
        "where": {"field_filter": equal},
        "order_by": [{"field": {"field_path": "name"}, "direction": 1}],
        "limit": {"value": 101},
    }
    request = {"parent": f"{DATABASE}/documents", "structured_query": query}
    names = [answer.document.name for answer in client.run_query(request, **CALL)]
    return {"names": names}
