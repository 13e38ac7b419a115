"""What is kept for a change that is sent again: little of each, and not for long."""

from shared import projects, quotas
from shared.kinds import APPS
from shared.upkeep import schedule
from tests.evidence.test_repeats import DAY, twice
from tests.support import call
from tests.support.kinds import MERGE, refused


def test_as_large_as_it_gets(home):
    """All that an app can hold, in letters that are escapes elsewhere; little of it is kept."""
    arguments = {"run_arguments": ["\u00fc" * 60_000] * 4}
    env = {"run_env_variables": [{"name": "A", "value": "v" * (quotas.TEMPLATE_BYTES - 9)}]}
    app = {"name": "large", "image_reference": "hello", **arguments, **env}
    path, tags = home.at(APPS, "large"), {"If-Match": "*", **MERGE}
    twice(home, "POST", home.at(APPS), app)
    home.left.append((APPS, "large"))
    little, named = twice(home, "PATCH", path, {"image_port": 1234}, **tags)
    assert little.json()["run_arguments"] == arguments["run_arguments"]
    # Merged into what is there, it is not what the request says of it.
    probe = {"type": "http", "path": "/" + "p" * quotas.KEPT_BYTES}
    home.update(APPS, "large", {"run_arguments": [], "probe_liveness": probe})
    twice(home, "PATCH", path, {"probe_liveness": {"port": 1}}, **tags)
    refused(home.ask("PATCH", path, {"image_port": 1234}, headers=named), 409, "conflict")
    found = home.host.inside.everything().items()
    below = f"projects/{home.project['id']}/operations/"
    kept = [len(repr(record)) for at, record in found if at.startswith(below)]
    assert len(kept) >= 3
    assert max(kept) < 6 * quotas.KEPT_BYTES


def test_the_schedule_goes_on(app, monkeypatch):
    """However many there are, page by page and for a time; what is not over stays."""
    monkeypatch.setattr(schedule.quotas, "SWEEP_BATCH", 2)
    monkeypatch.setattr(schedule.quotas, "DUE_PAGES", 1)
    asked = {"operation": "create_project"}
    for number in range(5):
        body = {"name": f"p{number}"}
        projects.create(app, call(body=body, idempotency_key=f"{number}", **asked))
    assert schedule.enforce(app)["forgotten"] == 0
    app.settings.clock_file.write_text(f"{DAY + 1}")
    projects.create(app, call(body={"name": "q"}, idempotency_key="q", **asked))
    with monkeypatch.context() as patched:
        patched.setattr(quotas, "FORGET_TIME", 0.0)
        assert schedule.enforce(app)["forgotten"] == 0
    assert [schedule.enforce(app)["forgotten"] for _ in "12"] == [5, 0]
