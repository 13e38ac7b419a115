"""Secrets are added in a browser: by format, by key, from files; what is wrong is pointed at."""

import pytest
from playwright.sync_api import expect

from shared.kinds.secrets import FORMATS
from tests.support.holding import VALUE, enter, everywhere, field, kept
from tests.support.pages import failed
from tests.support.screens import nowhere, press, quoted, toast, writes

TYPED = "typed-7be1\nwith a line"
ID = "0f7a4a4e-2c1b-4b7e-9c0d-5a4b3c2d1e0f"
# What is typed for each format, by its label, and what is stored of it.
FORMS = {
    "basic_auth": {"User name": "u", "Password": VALUE},
    "ssh_auth": {"Private key": VALUE, "Known hosts (optional)": "h"},
    "tls": {"Certificate chain": "c", "Private key": VALUE},
    "registry": {"User name": "u", "Password or API key": VALUE},
    "hmac_auth": {"Access key ID": "a", "Secret access key": VALUE},
    "service_access": {"Service instance ID": ID},
    "service_operator": {"Resource group IDs (optional)": "a1 b2"},
}
STORED = {
    "basic_auth": {"data": {"username": "u", "password": VALUE}},
    "ssh_auth": {"data": {"ssh_key": VALUE, "known_hosts": "h"}},
    "tls": {"data": {"tls_cert": "c", "tls_key": VALUE}},
    "registry": {"data": {"server": "us.icr.io", "username": "u", "password": VALUE}},
    "hmac_auth": {"data": {"access_key_id": "a", "secret_access_key": VALUE}},
    "service_access": {"service_access": {"service_instance": {"id": ID}}},
    "service_operator": {"service_operator": {"resource_group_ids": ["a1", "b2"]}},
}
ENV = """\ufeff# a comment
PLAIN=one
QUOTED="two words"\r

EMPTY=
URL=a=b=c
"""


def begin(page):
    """Open the dialog that adds one."""
    press(page, "Add secret")
    expect(field(page, "Name")).to_be_focused()


@pytest.mark.slow
def test_added_key_by_key(secrets, account, project):
    """By the keyboard: a name, two rows; what is typed is not seen, and is stored as it is."""
    page, sent = secrets, writes(secrets)
    begin(page)
    page.keyboard.insert_text("new.one")
    enter(page, "Key", "A")
    enter(page, "Value", TYPED)
    assert (
        field(page, "Value").evaluate("node => getComputedStyle(node).webkitTextSecurity") == "disc"
    )
    press(page, "Add a row")
    field(page, "Key").nth(1).focus()
    page.keyboard.insert_text("B")
    everywhere(page)
    page.get_by_role("dialog").get_by_role("button", name="Add secret").dblclick()
    toast(page, f"{quoted('new.one')} is added.")
    assert kept(account, project, "secrets", "new.one") == {"A": TYPED, "B": ""}
    assert [line.split()[0] for line in sent] == ["POST"]
    expect(page.get_by_role("button", name="Add secret")).to_be_focused()
    nowhere(page, TYPED)


@pytest.mark.slow
def test_added_from_an_env_file(secrets, account, project, tmp_path):
    """Keys and lengths are shown before anything is sent, faults by their line, values never."""
    page, sent = secrets, writes(secrets)
    begin(page)
    page.keyboard.insert_text("env")
    press(page, "From a .env file")
    enter(page, "Lines of KEY=VALUE", "ONE=1\nhunter2\nexport TWO=2\nA KEY=3\n..=4\n=5\nONE=6")
    told = page.get_by_role("dialog").get_by_role("list")
    expect(told.get_by_role("listitem")).to_have_text(
        [
            "Line 2 is not of the form KEY=VALUE.",
            "Line 3 begins with “export”: leave it out.",
            "Line 4 has no good key: keys hold letters, digits, - _ . (at most 253).",
            "Line 5 has no good key: “.” and “..” are no keys.",
            "Line 6 has no good key: the key is missing.",
            "Line 7 gives “ONE” again, after line 1.",
        ]
    )
    press(page, "Add secret", page.get_by_role("dialog"))
    expect(page.get_by_text("Some lines cannot be read; nothing is sent.")).to_be_visible()
    assert sent == []
    file = tmp_path / "some.env"
    file.write_bytes(ENV.encode())
    page.locator("dialog input[type=file]").set_input_files(file)
    rows = page.get_by_role("dialog").locator("tbody tr")
    expect(rows).to_have_text(
        [
            "PLAIN3 characters",
            "QUOTED11 characters; its quotes are kept",
            "EMPTYempty",
            "URL5 characters",
        ]
    )
    everywhere(page)
    press(page, "Add secret", page.get_by_role("dialog"))
    toast(page, f"{quoted('env')} is added.")
    stored = {"PLAIN": "one", "QUOTED": '"two words"', "EMPTY": "", "URL": "a=b=c"}
    assert kept(account, project, "secrets", "env") == stored


def test_every_format_is_offered():
    """Each format that can be asked for is tried below, but the one whose keys are anybody's."""
    assert set(FORMS) == set(STORED) == set(FORMATS) - {"generic"}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_added_by_format(secrets, account, project, form):
    """What must not be empty is pointed at before anything is sent; then all is stored."""
    page, sent = secrets, writes(secrets)
    begin(page)
    page.get_by_label("Format").select_option(form)
    press(page, "Add secret", page.get_by_role("dialog"))
    expect(page.get_by_text("This must not be empty.").first).to_be_visible()
    expect(field(page, "Name")).to_be_focused()
    assert sent == []
    page.keyboard.insert_text("one")
    for name, text in FORMS[form].items():
        enter(page, name, text)
    everywhere(page)
    press(page, "Add secret", page.get_by_role("dialog"))
    toast(page, f"{quoted('one')} is added.")
    found = account.got(f"/v2/projects/{project['id']}/secrets/one")
    assert found["format"] == form
    for member, stored in STORED[form].items():
        assert {**found[member], **stored} == found[member]
    nowhere(page, VALUE)


@pytest.mark.slow
def test_files(secrets, account, project, tmp_path):
    """A key is read from a file byte for byte; what is no text is told, and loses nothing."""
    page = secrets
    key, picture = tmp_path / "key.pem", tmp_path / "picture"
    key.write_bytes(f"{VALUE}\r\nend\n".encode())
    picture.write_bytes(b"\x89PNG\xff\xfe")
    begin(page)
    page.keyboard.insert_text("one")
    page.get_by_label("Format").select_option("ssh_auth")
    files = page.locator("dialog input[type=file]")
    files.first.set_input_files(key)
    expect(page.get_by_role("dialog")).to_contain_text("Read from key.pem.")
    files.last.set_input_files(picture)
    expect(page.get_by_role("alert")).to_have_text("This file is not text in UTF-8.")
    press(page, "Add secret", page.get_by_role("dialog"))
    toast(page, "is added.")
    assert kept(account, project, "secrets", "one") == {"ssh_key": f"{VALUE}\r\nend\n"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "points"), [("db", "exists already"), ("Not Good", "must be lower-case letters")]
)
def test_a_refusal_points_at_its_field(secrets, watch, name, points):
    """What the host refuses stands at the field that it is about; all that was typed stays."""
    page = secrets
    watch.allow(failed(400, 409))
    begin(page)
    page.keyboard.insert_text(name)
    enter(page, "Key", "A")
    enter(page, "Value", TYPED)
    press(page, "Add secret", page.get_by_role("dialog"))
    expect(page.get_by_role("alert")).to_contain_text(points)
    expect(field(page, "Name")).to_be_focused()
    expect(field(page, "Name")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Format").select_option("tls")
    page.get_by_label("Format").select_option("generic")
    expect(field(page, "Name")).to_have_value(name)
    expect(field(page, "Value")).to_have_value(TYPED)
