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
        secrets.check(new, old=old, others={})
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
    assert secrets.check(new, old=None, others={}) is None


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
    assert secrets.check(full("tls"), old=full("tls"), others={}) is None


def test_values_are_counted_as_utf_8():
    """The limit is in bytes, and holds exactly."""
    most = {"format": "generic", "data": {"a": "é" * (quotas.SECRET_BYTES // 2)}}
    assert secrets.check(most, old=None, others={}) is None
    assert refusal({**most, "data": {**most["data"], "b": "x"}}) == [("payload_too_large", "data")]


def test_a_service_secret_has_a_limit_of_its_own_that_counts_its_keys():
    """Its limit is lower, and holds exactly."""
    key = "k" * 100
    values = {key: "x" * (quotas.SERVICE_BYTES - len(key))}
    access = {"format": "service_access", "service_access": ACCESS, "data": values}
    assert secrets.check(access, old=None, others={}) is None
    values[key] += "x"
    assert refusal(access) == [("payload_too_large", "data")]


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
    assert (bare.check({}, old=None, others={}), bare.present({}, None)) == (None, {})
    assert CONFIG_MAPS.check({"data": {"a": "x"}}, old=None, others={}) is None


def test_errors_without_a_field():
    """An error without a field has no target."""
    assert missing().entries() == [{"code": "resource_not_found", "message": "Resource not found."}]
    assert (unavailable("x").status, unavailable("x").headers) == (503, {"Retry-After": "1"})
