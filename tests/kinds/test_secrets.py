"""Secrets: what each format requires, what a replacement may be, and what is computed."""

import json

import pytest

from shared import quotas
from shared.errors import Error, missing, unavailable
from shared.kinds import APPS, CONFIG_MAPS, JOB_RUNS, Kind, secrets

CANARY = "hunter2"
ACCESS = {"resource_key": {"id": "k"}, "service_instance": {"id": "i"}}


def refusal(new, old=None):
    """Give code and field of all that is refused; no value that was sent is repeated."""
    with pytest.raises(Error) as caught:
        secrets.check(new, old=old, others={}, given={})
    entries = caught.value.entries()
    assert CANARY not in json.dumps(entries)
    return [(entry["code"], entry.get("target", {}).get("name")) for entry in entries]


def full(form):
    """Give a secret of a format with all that it requires."""
    keys = secrets.FORMATS[form].required
    return {"format": form, "data": dict.fromkeys(keys, CANARY)}


@pytest.mark.parametrize("form", secrets.FORMATS)
def test_what_a_format_requires_is_enough(form):
    """Every format takes what it requires, and needs no more."""
    made_from = secrets.FORMATS[form].made_from
    new = full(form) if made_from == "data" else {"format": form, made_from: {}}
    assert secrets.check(new, old=None, others={}, given={}) is None


@pytest.mark.parametrize("form", [f for f, row in secrets.FORMATS.items() if row.required])
def test_each_key_that_is_missing_is_told(form):
    """One error a missing key; one for all where there are no values."""
    required = secrets.FORMATS[form].required
    expected = [("missing_field", f"data.{key}") for key in required]
    assert refusal({"format": form, "data": {}}) == expected
    assert refusal({"format": form}) == [("missing_field", "data")]


@pytest.mark.parametrize("form", ["service_access", "service_operator"])
def test_a_service_secret_is_made_from_its_own_member(form):
    """Values alone make no service's secret."""
    assert refusal({"format": form, "data": {"a": CANARY}}) == [("missing_field", form)]


def test_a_format_is_for_good():
    """A replacement has the format of what it replaces, and that format has values."""
    assert refusal(full("tls"), full("ssh_auth")) == [("format_mismatch", "format")]
    access = {"format": "service_access", "service_access": ACCESS}
    assert refusal(access, access) == [("format_mismatch", None)]
    assert secrets.check(full("tls"), old=full("tls"), others={}, given={}) is None


def test_values_are_counted_as_utf_8():
    """The limit is in bytes, and holds exactly."""
    most = {"format": "generic", "data": {"a": "é" * (quotas.SECRET_BYTES // 2)}}
    assert secrets.check(most, old=None, others={}, given={}) is None
    assert refusal({**most, "data": {**most["data"], "b": "x"}}) == [("payload_too_large", "data")]


def test_a_service_secret_has_a_limit_of_its_own_that_counts_its_keys():
    """Its limit is lower, and holds exactly."""
    key = "k" * 100
    values = {key: "x" * (quotas.SERVICE_BYTES - len(key))}
    access = {"format": "service_access", "service_access": ACCESS, "data": values}
    assert secrets.check(access, old=None, others={}, given={}) is None
    values[key] += "x"
    assert refusal(access) == [("payload_too_large", "data")]


@pytest.mark.parametrize("key", [".", ".."])
def test_no_key_is_a_folder(key):
    """Keys are mounted as files; dots beside other characters, or three of them, are a name."""
    values = {"a": CANARY, key: CANARY}
    assert refusal({"format": "generic", "data": values}) == [("invalid_field", "data")]
    with pytest.raises(Error, match="has a key that is not allowed"):
        CONFIG_MAPS.check({"data": values}, old=None, others={}, given={})
    good = dict.fromkeys(["...", ".a", "..a", "a..", "-", "_"], CANARY)
    assert secrets.check({"format": "generic", "data": good}, old=None, others={}, given={}) is None


@pytest.mark.parametrize("form", [f for f, row in secrets.FORMATS.items() if row.required])
def test_a_private_key_and_a_server_are_not_empty(form):
    """They are told by their keys; all else may be empty, and so may they elsewhere."""
    new = full(form)
    new["data"] = dict.fromkeys(new["data"], "")
    told = [("invalid_field", f"data.{key}") for key in new["data"] if key in secrets.NOT_EMPTY]
    if told:
        assert refusal(new) == refusal(new, full(form)) == told
    new["data"] |= dict.fromkeys(secrets.NOT_EMPTY & new["data"].keys(), CANARY)
    assert secrets.check(new, old=full(form), others={}, given={}) is None
    loose = {"format": "generic", "data": dict.fromkeys(secrets.NOT_EMPTY, "")}
    assert secrets.check(loose, old=None, others={}, given={}) is None


NO_SERVERS = ("\n{}", "{}\n", "{}\r\nb", " {}", "{} ", "\t{}", "a\u2028{}", "\xa0{}", " ")


@pytest.mark.parametrize("form", NO_SERVERS)
def test_a_server_is_in_one_piece(form):
    """A registry's server is a line, without blanks at its ends; a password may be anything."""
    login = full("registry")
    login["data"] |= {"server": form.format(CANARY), "password": form.format(CANARY)}
    assert refusal(login) == [("invalid_field", "data.server")]
    assert refusal(login, full("registry")) == [("invalid_field", "data.server")]
    login["data"]["server"] = "docker.io"
    assert secrets.check(login, old=None, others={}, given={}) is None
    login["format"] = "generic"
    login["data"]["server"] = form
    assert secrets.check(login, old=None, others={}, given={}) is None


def test_what_is_computed():
    """Clients find the members they rely on; what was sent wins."""
    generic = secrets.present(full("generic"), {})
    assert generic == {"resource_type": "secret_generic_v2", "generated_by": "user"}
    access = secrets.present({"format": "service_access", "service_access": ACCESS}, {})
    assert access["service_access"] == {"role": {"name": "Writer"}, **ACCESS}
    operator = {"format": "service_operator", "service_operator": {"resource_group_ids": ["g"]}}
    assert secrets.present(operator, {})["service_operator"] == {
        "apikey_id": "",
        "resource_group_ids": ["g"],
        "serviceid": {},
        "user_managed": True,
    }


def test_the_names_of_a_kind():
    """A kind is named after its noun wherever it is named."""
    assert (JOB_RUNS.label, JOB_RUNS.schema, JOB_RUNS.audited) == ("job run", "JobRun", "jobrun")
    assert (JOB_RUNS.template, JOB_RUNS.template_name) == ("jobs", "job_name")
    assert (APPS.audited, APPS.template_name) == ("application", "")


def test_a_kind_without_hooks_refuses_and_computes_nothing():
    """A row needs no hook."""
    bare = Kind("things", "thing")
    assert (bare.check({}, old=None, others={}, given={}), bare.present({}, None)) == (None, {})
    assert CONFIG_MAPS.check({"data": {"a": "x"}}, old=None, others={}, given={}) is None


def test_errors_without_a_field():
    """An error without a field has no target."""
    assert missing().entries() == [{"code": "resource_not_found", "message": "Resource not found."}]
    assert (unavailable("x").status, unavailable("x").headers) == (503, {"Retry-After": "1"})
