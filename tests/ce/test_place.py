"""Which project a command acts in: what names it, in which order, who says so, what is broken."""

import json
import os

import pytest

from ce.server import place
from tests.support.cli import asked, run
from tests.support.cli_home import token
from tests.support.terminal import Terminal

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in a folder of one's own, below another."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    return inner


@pytest.fixture
def four(ce, account, folder):  # noqa: ARG001 - where one stands
    """Four projects of an account; the last is selected."""
    made = {name: account.project(name) for name in ("flag", "variable", "file", "chosen")}
    ce("project", "select", "-n", "chosen")
    return {name: project["id"] for name, project in made.items()}


def secrets(account, project):
    """Name the secrets that a project holds."""
    return [one["name"] for one in account.got(f"/v2/projects/{project}/secrets")["secrets"]]


def test_the_order(ce, account, four, folder, monkeypatch):
    """Option, variable, nearest file, selection: there a write lands, and it says so."""
    outer, inner = folder.parent / ".ce.toml", folder / ".ce.toml"

    def lands(name, project, *more, source=""):
        done = run("secret", "create", "-n", name, "-l", "A=b", *more)
        assert done.returncode == 0, done
        assert done.stdout == f"Creating generic secret '{name}'...\nOK\n"
        said = f" ({source})" if source else ""
        assert done.stderr == f"Acting in project '{project}'{said}.\n"
        assert name in secrets(account, four[project])

    lands("one", "chosen")
    outer.write_text('project = "file"')
    lands("two", "file", source=outer)
    inner.write_text("\ufeff# ours\nproject = 'chosen'\n")
    lands("three", "chosen", source=inner)
    monkeypatch.setenv("CODE_ENGINE_PROJECT", " variable\r")
    lands("four", "variable", source="CODE_ENGINE_PROJECT")
    lands("five", "flag", "--project", "flag", source="--project")
    monkeypatch.setenv("CODE_ENGINE_PROJECT", four["flag"])
    lands("seven", "flag", source="CODE_ENGINE_PROJECT")
    assert secrets(account, four["chosen"]) == ["one", "three"]
    assert ce("secret", "list", "--project", "file", "-o", "jsonpath={.secrets[*].name}") == "two"


def test_who_says_so(ce, four, folder, monkeypatch):
    """`target` and `project current` say which project and what names it; `select` warns."""

    def told():
        project = json.loads(ce("target", "-o", "json"))["project"]
        return {name: project[name] for name in project.keys() - {"status", "reason"}}

    chosen = {"id": four["chosen"], "name": "chosen"}
    assert told() == {**chosen, "from": "the selection ('ce project select')"}
    (folder / ".ce.toml").write_text('project = "file"')
    assert told() == {"name": "file", "id": four["file"], "from": f"{folder}/.ce.toml"}
    monkeypatch.setenv("CODE_ENGINE_PROJECT", four["variable"])
    assert told() == {"id": four["variable"], "from": "CODE_ENGINE_PROJECT"}
    shown = ce("target")
    assert f"\nProject:         {four['variable']}\nProject From:    CODE_ENGINE_PROJECT\n" in shown
    done = run("project", "current")
    assert f"\nName:    variable\nID:      {four['variable']}\n" in done.stdout
    assert done.stderr == "It comes from CODE_ENGINE_PROJECT.\n"

    named = f"CODE_ENGINE_PROJECT names project '{four['variable']}'"
    note = f"Note: {named}, and goes before what is selected.\n"
    assert run("project", "select", "-n", "chosen").stderr == note
    assert run("project", "select", "-n", "variable").stderr == ""
    said = run("project", "create", "-n", "fresh").stderr
    assert said == f"Project 'fresh' is selected now.\n{note}"
    monkeypatch.delenv("CODE_ENGINE_PROJECT")
    assert ".ce.toml names project 'file'," in run("project", "select", "-n", "chosen").stderr


def test_a_name_of_an_id_s_form_catches_nothing(ce, account, four):
    """What has the form of an ID is one, though the selected project is called so."""
    ce("project", "create", "--name", four["flag"])
    done = run("secret", "create", "-n", "one", "-l", "A=b", "--project", four["flag"])
    assert (done.returncode, done.stderr) == (0, "Acting in project 'flag' (--project).\n")
    assert secrets(account, four["flag"]) == ["one"]
    ce("project", "create", "--name", NOWHERE)
    assert run("secret", "create", "-n", "two", "-l", "A=b", "--project", NOWHERE).returncode == 1


def test_a_destroyed_project_says_so(ce, four):
    """Whoever names one by its ID is told when it was destroyed, and why."""
    ce("project", "delete", "-n", "flag", "--hard", "-f")
    said = ce("secret", "list", "--project", four["flag"], code=1)
    assert "which --project names: nothing was done." in said
    assert "was destroyed for good on" in said


@pytest.mark.usefixtures("ce")
def test_what_was_made_is_said(tmp_path, monkeypatch):
    """A project that cannot be selected, since nothing can be written, was made all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CE_HOME", str(tmp_path / "file"))
    done = run("project", "create", "-n", "made")
    assert done.returncode == 1  # and not 2, which says that nothing was asked of the server
    assert "Project 'made' was made, and is not selected." in done.stderr
    assert f"CE_HOME names '{tmp_path}/file', which is no folder" in done.stderr


def test_no_project_of_that_name(ce, four, folder, monkeypatch):
    """Whatever names one that is not there is named, and nothing is done elsewhere."""
    delete = ("secret", "delete", "-n", "s", "-f")
    ce("secret", "create", "-n", "s", "-l", "A=b")
    for word in ("none", NOWHERE):
        said = f"There is no project '{word}', which {{}} names: nothing was done."
        assert said.format("--project") in ce(*delete, "--inf", "--project", word, code=1)
        monkeypatch.setenv("CODE_ENGINE_PROJECT", word)
        assert said.format("CODE_ENGINE_PROJECT") in ce(*delete, code=1)
        assert ce("secret", "get", "-n", "s", "--project", "chosen", "-q")
    monkeypatch.delenv("CODE_ENGINE_PROJECT")
    (folder / ".ce.toml").write_text('project = "none"')
    assert said.partition("'")[0] in ce(*delete, code=1)
    assert f"{folder}/.ce.toml names" in ce("secret", "list", code=1)
    assert "is given no name and no ID" in ce(*delete, "--project", "", code=2)
    for word in ("chosen", four["chosen"]):
        said = ce("secret", "get", "-n", "t", "--project", word, code=1)
        assert "looked for in project 'chosen', which --project names." in said


def test_an_empty_variable_is_refused(ce, four, monkeypatch):
    """A script's variable that is not set falls through to no other project; `target` tells it."""
    said = "CODE_ENGINE_PROJECT is empty: set it to a project, or unset it;"
    for word in ("", "  ", "\u200b", "\r"):
        monkeypatch.setenv("CODE_ENGINE_PROJECT", word)
        assert said in ce("secret", "create", "-n", "s", "-l", "A=b", code=2)
    assert said in ce("project", "current", code=2)
    lines = ce("target").splitlines()
    assert "Project From:    CODE_ENGINE_PROJECT" in lines
    assert any(line.startswith(f"Project Status:  {said}") for line in lines)
    assert json.loads(ce("target", "-o", "json"))["project"]["status"] == "unset"
    assert "chosen" in ce("project", "list", "-q")
    assert run("project", "select", "-n", "chosen").stderr.startswith(f"Note: {said}")
    assert ce("secret", "list", "-q", "--project", four["file"])
    assert "is given no name" in ce("secret", "list", "--project", "\u200b", code=2)
    monkeypatch.setenv("CODE_ENGINE_PROJECT", "'chosen'")
    assert "CODE_ENGINE_PROJECT has quotes in it: leave" in ce("secret", "list", code=2)


BROKEN = {
    "not TOML": (b"project = shop", "is not TOML"),
    "no text": (b'project = "\xff"', "is not TOML"),
    "too deep": (b"a = " + b"[" * 60000, "is not TOML"),
    "too large": (b"#" * 70000, "is too large"),
    "empty": (b"", "names no project"),
    "no name": (b'project = " "', "names no project"),
    "a number": (b"project = 5", "names no project"),
    "a table": (b"[project]\nname = 'x'", "names no project"),
    "more": (
        b'project = "chosen"\n"api\\u001bkey" = "nobody-may-see"',
        "has the key 'api\\u001bkey'",
    ),
}


@pytest.mark.usefixtures("four")
def test_a_broken_file_is_one_plain_line(ce, folder, subtests):
    """Exit code 2, a line that says what may stand in it, and nothing of what does."""
    file = folder / ".ce.toml"
    (folder.parent / ".ce.toml").write_text('project = "file"')  # no way to fall through to

    def refused(why):
        for args in (("secret", "list"), ("target",)):
            failed, line = ce(*args, code=2).splitlines()
            assert (failed, f"{file} {why}" in line) == ("FAILED", True)
            assert "--project and CODE_ENGINE_PROJECT go before it." in line
            assert "nobody-may-see" not in line
        assert ce("secret", "list", "-q", "--project", "chosen")

    for case, (content, why) in BROKEN.items():
        with subtests.test(case):
            file.write_bytes(content)
            refused(why)
    file.unlink()
    os.mkfifo(file)
    refused("is no file")
    file.unlink()
    file.symlink_to("nowhere")
    refused("cannot be read (No such file or directory)")


@pytest.mark.usefixtures("four")
def test_another_user_s_file_names_nothing(ce, folder, monkeypatch):
    """Not the file, and not a link of another's to one of ours; root's is as good as ours."""
    file = folder / ".ce.toml"
    file.write_text('project = "file"')
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    theirs = file.stat().st_uid != 0
    said = run("secret", "list")
    assert ("belongs to another user" in said.stderr, said.returncode) == (theirs, 2 * theirs)
    if not theirs:
        os.chown(file, 12345, -1)
        assert "belongs to another user" in ce("secret", "list", code=2)


def test_requests(ce, host, four):
    """What is selected costs no request, by name or ID; another's name or ID one."""

    def looked(word):
        before = len(host.log())
        ce("secret", "list", "-q", "--project", word)
        return [path.partition("?")[0] for _, path in asked(host.log()[before:])][:-1]

    tokens = ["/identity/token"]
    assert looked("chosen") == looked(four["chosen"]) == tokens
    assert looked("file") == [*tokens, "/v2/projects"]
    assert looked(four["file"]) == [*tokens, f"/v2/projects/{four['file']}"]


def test_a_key_that_may_not_look_takes_an_id(other):
    """Who may act in a project need not be one who may look at it: by ID, not by name."""
    answers, _ = other
    refused = (403, '{"errors": [{"code": "forbidden", "message": "No `project.view`."}]}')
    answers += [token("writer"), refused, (200, '{"secrets": []}')]
    assert run("secret", "list", "--project", NOWHERE).returncode == 0
    answers += [token("writer"), refused]
    done = run("secret", "list", "--project", "shop")
    assert (done.returncode, answers) == (1, [])
    assert "only a key that may look finds: give its ID." in done.stderr


def test_a_question_names_its_project(ce, four):
    """Before it is answered one sees where."""
    ce("secret", "create", "-n", "s", "-l", "A=b", "--project", "file")
    code, shown = Terminal("secret", "delete", "-n", "s", "--project", "file").answer("n\n")
    assert (code, shown.splitlines()) == (
        1,
        [
            "Acting in project 'file' (--project).",
            "Are you sure you want to delete secret s? [y/N]> n",
        ],
    )
    assert ce("secret", "get", "-n", "s", "--project", four["file"], "-q")


def test_options_of_the_same_name_keep_their_meaning(ce, four, folder, monkeypatch):
    """A key is for a project only where its own option says so."""
    monkeypatch.setenv("CODE_ENGINE_PROJECT", "variable")
    (folder / ".ce.toml").write_text('project = "file"')
    assert "project_id" not in json.loads(ce("apikey", "create", "a", "-o", "json"))
    made = json.loads(ce("apikey", "create", "b", "--project", "flag", "-o", "json"))
    assert made["project_id"] == four["flag"]
    assert "No such option" in ce("function", "runtimes", "--project", "flag", code=2)
    assert "No such option" in ce("project", "get", "-n", "flag", "--project", "flag", code=2)


@pytest.mark.usefixtures("four")
def test_no_folder(ce, folder):
    """In a folder that is gone no file names a project."""
    folder.rmdir()
    assert place.named() is None
    assert ce("secret", "list", "-q")
