"""The pure parts of `ce`: ages, dates, tables, escapes, jsonpath, the notation of options."""

import json
import time

import click
import pytest
import wcwidth
import yaml

from ce.help.option_help import UNSUPPORTED
from ce.help.options import parse
from ce.rows import NOUNS
from ce.text import documents, jsonpath, render

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400

AGES = {  # the samples of the documentation, and the edges of every rule
    0: "0s",
    7: "7s",
    111: "111s",
    2 * MINUTE: "2m",
    7 * MINUTE + 37: "7m37s",
    10 * MINUTE + 30: "10m",
    42 * MINUTE: "42m",
    3 * HOUR: "3h",
    3 * HOUR + 31 * MINUTE: "3h31m",
    8 * HOUR + 59 * MINUTE: "8h",
    25 * HOUR: "25h",
    40 * HOUR: "40h",
    2 * DAY: "2d",
    2 * DAY + 8 * HOUR: "2d8h",
    7 * DAY - 1: "6d23h",
    16 * DAY: "16d",
    333 * DAY: "333d",
    2 * YEAR: "2y",
    3 * YEAR + 5 * DAY: "3y5d",
    9 * YEAR + 5 * DAY: "9y",
    -5: "0s",
}


@pytest.mark.parametrize(("seconds", "text"), AGES.items())
def test_age(seconds, text):
    """An age reads as Kubernetes writes it."""
    assert render.age(seconds) == text


@pytest.fixture
def zone(monkeypatch):
    """Set the local zone."""

    def set_zone(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_dates_are_written_in_the_local_zone(zone):
    """Dates are local, in English, with their offset; nanoseconds are understood."""
    zone("Europe/Berlin")
    assert render.long_date("2025-06-30T16:16:12.992359829Z") == "Mon, 30 Jun 2025 18:16:12 +0200"
    assert render.short_date("2021-03-10T23:44:18Z") == "2021-03-11T00:44:18+01:00"
    zone("UTC")
    assert render.short_date("2021-03-10T23:44:18+00:00") == "2021-03-10T23:44:18Z"


def test_table_aligns_wide_characters():
    """Columns line up by what a terminal shows, and no line ends in blanks."""
    text = render.table(("Name", "Age"), [("日本語", "7s"), ("plain", ""), ("e\u0301", "1d")])
    assert text.split("\n") == ["Name    Age", "日本語  7s", "plain", "e\u0301       1d"]


def test_table_without_rows_is_its_header():
    """An empty list still shows its columns."""
    assert render.table(("Name", "Age"), []) == "Name  Age"


def test_block_leaves_out_what_is_unknown():
    """A member the API did not give has no line, and the others stay aligned."""
    assert render.block([("Name", "x"), ("Subdomain", None), ("ID", "1")]) == "Name:  x\nID:    1"


EVIL = "a\x1b[2Jb\x9bc\u202ed\x7f\u2028e\u2066\ufefff\U000e0041"
SHOWN = "a\\u001b[2Jb\\u009bc\\u202ed\\u007f\\u2028e\\u2066\\ufefff\\udb40\\udc41"


def test_escape_sequences_are_shown():
    """Control, direction and invisible characters are shown as escapes; joiners stay."""
    assert render.safe(EVIL) == SHOWN
    emoji = "日本\u3000👩\u200d💻"
    assert render.safe(emoji) == emoji


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_documents_escape_by_their_own_means(form, read):
    """JSON and YAML hold no such character, and say it all the same."""
    document = {f"key {EVIL}": [EVIL, f'"{EVIL}\\', "日本 👩\u200d💻", "two\nlines\r\n\ttab"]}
    text = documents.WRITERS[form]("")(document)
    assert render.safe(text, render.LAYOUT) == text
    assert "日本" in documents.WRITERS[form]("")(["日本"])
    assert read(text) == document


def test_found_by_jsonpath_is_left_as_it_is():
    """What a script takes out of a document it gets byte by byte."""
    assert documents.WRITERS["jsonpath"]("{.a}")({"a": EVIL}) == EVIL


WIDE = ("日本語", "e\u0301", "👩\u200d💻", "❤\ufe0f", "ไทย", "가", "ﬁ", "plain", EVIL)


def test_columns_line_up():
    """Wide, combining, joined and escaped characters take the columns a terminal gives them."""
    table = render.table(("Name", "Age"), [(name, "7s") for name in WIDE])
    heading, *lines = table.split("\n")
    assert {wcwidth.wcswidth(line.removesuffix("7s")) for line in lines} == {heading.index("Age")}


DOCUMENT = {
    "guid": "g1",
    "projects": [
        {"name": "a", "status": "active", "n": 1, "none": None, "ok": True},
        {"name": "b", "status": "soft_deleted", "n": 2, "tags": ["x", "y"]},
    ],
    "data": {"tls.crt": "C", "ssh-privatekey": "S", ".dockerconfigjson": "D"},
}

TEMPLATES = {
    "{.guid}": "g1",
    ".guid": "g1",
    "{.projects[*].name}": "a b",
    "{.projects[0].name} is {.projects[0].status}\n": "a is active\n",
    '{range .projects[*]}{.name}{"\\t"}{.n}{"\\n"}{end}': "a\t1\nb\t2\n",
    "{range .projects[*]}{.name}:{range .tags[*]}<{@}>{end}{$.guid} {end}": "a:g1 b:<x><y>g1 ",
    '{.projects[?(@.status=="soft_deleted")].name}': "b",
    "{.projects[?(@.n>1)].name}": "b",
    "{.data.ssh-privatekey}": "S",
    "{.data.tls\\.crt}{.data['tls.crt']}": "CC",
    "{.data.\\.dockerconfigjson}": "D",
    "{.projects[1].tags}": '["x","y"]',
    "{.projects[0].ok}{.projects[0].none}": "true",
    "{.nothing}": "",
    "{..name}": "a b",
    '{"{"}{.guid}{"}"}': "{g1}",
}


@pytest.mark.parametrize(("template", "text"), TEMPLATES.items())
def test_jsonpath(template, text):
    """A kubectl template gives what kubectl gives."""
    assert jsonpath.template(template)(DOCUMENT) == text


@pytest.mark.parametrize(
    "bad", ["{.a", "{.a[}", "{range .a}", "{end}", '{"x}', '{"\\x"}', "{.a b}", "}{"]
)
def test_bad_jsonpath_is_refused(bad):
    """A template with a slip is refused when it is read, not when it is used."""
    with pytest.raises(ValueError, match=r"\w"):
        jsonpath.template(bad)


def test_jsonpath_as_json_lists_the_matches():
    """`jsonpath-as-json` finds values, with or without braces."""
    assert jsonpath.find("{.projects[*].n}")(DOCUMENT) == [1, 2]
    assert jsonpath.find(".guid")(DOCUMENT) == ["g1"]


VERBS = [(noun.name, name, verb) for noun in NOUNS for name, verb in noun.verbs.items()]


def test_rows_are_whole(subtests):
    """Every row reads, no two options of it share a name, and what asks can be forced."""
    for noun, name, verb in VERBS:
        with subtests.test(f"{noun} {name}"):
            names = [word for option in parse(verb.takes) for word in option.opts]
            assert len(names) == len(set(names))
            assert not verb.asks or "--force" in names
            # For what ends for good a name is typed, which is asked in words of its own.
            assert verb.asks or name != "delete" or noun == "reclamation"
            # What is verified is told in the words of the auditor's file.
            told = [] if name == "verify" else [verb.says, *verb.instead.values()]
            assert all("OK" in says or "|" in says for says in told)
            assert verb.help.endswith(".")


GENERAL = {"force", "name", "no_wait", "output", "quiet", "wait", "wait_timeout"}
WRITES = [row for row in VERBS if row[1] in {"create", "submit", "resubmit", "update"}]


def test_no_option_is_ignored(subtests):
    """What can be given is sent, or means the same everywhere, or is refused."""
    for noun, name, verb in WRITES:
        with subtests.test(f"{noun} {name}"):
            heeds_its_options(noun, name, verb)


def heeds_its_options(noun, name, verb):
    """Hold the options of a command that writes against what it sends."""
    kind = next(row.kind for row in NOUNS if row.name == noun)
    if kind is None or not kind.fields:  # they read their options by themselves
        assert noun in {"project", "secret", "registry", "repo", "apikey"}
        return
    sent = {option for row in kind.fields for option in row.options} | {"jobrun"}
    for option in parse(verb.takes):
        refused = option.help.startswith(UNSUPPORTED)
        assert refused or option.name in sent | GENERAL, f"{noun} {name} {option.name}"


def test_notation_of_options():
    """A row of the documented table becomes the options it describes."""
    name, tag, hard, server = parse("-n/--name* --tag/-t… --hard? --server/-s=us.icr.io")
    assert (name.required, name.opts) == (True, ["-n", "--name"])
    assert (tag.multiple, hard.is_flag, server.default) == (True, True, "us.icr.io")
    with pytest.raises(ValueError, match="notation"):
        parse("--name!")


def test_shared_options():
    """The letters of the table stand for the options many commands share, long `--f` too."""
    names = {name for option in parse("[F I O Q W]") for name in option.opts}
    assert {"--f", "-f", "--inf", "--nw", "--wto", "-o", "-q", "--wait"} <= names
    assert all(isinstance(option, click.Option) for option in parse("[F I O Q W]"))
