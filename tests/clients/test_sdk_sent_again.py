"""IBM's Python SDK, unmodified, asks for a change twice: the header makes it one."""

import pytest
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator
from ibm_code_engine_sdk.code_engine_v2 import CodeEngineV2


@pytest.mark.claim("F60", "IBM's SDK sends the key as a header of its own: one job run, not two")
def test_a_run_is_not_doubled(host, account):
    """Whoever had no answer asks again, is answered as at first, and another run is refused."""
    service = CodeEngineV2(BearerTokenAuthenticator(account.token))
    service.set_service_url(f"{host.url}/v2")
    project = service.create_project("sent-again").get_result()["id"]
    service.create_job(project, "icr.io/codeengine/helloworld", "j")
    once = {"headers": {"Idempotency-Key": "f0e2c0de-one-run"}}
    first, again = (service.create_job_run(project, job_name="j", **once) for _ in "12")
    assert (first.get_status_code(), again.get_status_code()) == (202, 202)
    assert first.get_result() == again.get_result()
    (run,) = service.list_job_runs(project).get_result()["job_runs"]
    assert run["name"] == first.get_result()["name"]
    with pytest.raises(ApiException) as caught:
        service.create_job_run(project, job_name="another", **once)
    assert caught.value.status_code == 422
