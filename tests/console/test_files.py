"""The console's files, without a browser: the policy they are served under, and what they hold."""

import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support import ROOT

CONSOLE = ROOT / "console"
APP = CONSOLE / "app"
VENDOR = APP / "vendor"
DOCS = CONSOLE / "docs"
OURS = sorted(file for file in APP.rglob("*") if file.is_file() and VENDOR not in file.parents)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGES = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
BUDGET = 75_000  # bytes of all that the console loads, each file packed by itself (ADR 28)
DOCS_BUDGET = 12_000  # of what the reference has beside the console's style
# What would run text as markup or code, or keep something where the tab's end does not take it.
FORBIDDEN = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML"),
    *("document.write", "eval(", "new Function", "localStorage", "sessionStorage", "indexedDB"),
    *("document.cookie", "serviceWorker", "http:", "https:"),
)
SVG = "http://www.w3.org/2000/svg"  # a namespace, which nobody asks for
TEXT, BORDER = 4.5, 3.0  # WCAG 2.2: 1.4.3 of text, 1.4.11 of what shows where a control is
# Colour, what lies behind it, what it must at least be.
PAIRS = (
    *((colour, back, TEXT) for colour in ("fg", "mute") for back in ("bg", "panel", "raise")),
    *((colour, "bg", TEXT) for colour in ("accent", "danger", "warn", "ok")),
    *((colour, back, TEXT) for colour in ("accent", "danger") for back in ("panel", "raise")),
    *((colour, "raise", TEXT) for colour in ("warn", "ok")),
    *((f"on-{colour}", colour, TEXT) for colour in ("accent", "danger")),
    *((colour, f"{colour}-bg", TEXT) for colour in ("danger", "warn")),
    *(("fg", back, TEXT) for back in ("danger-bg", "warn-bg")),
    *(("edge", back, BORDER) for back in ("bg", "raise")),
    *(("accent", back, BORDER) for back in ("bg", "panel", "raise")),  # the ring of the focus
)


def rules():
    """Give what firebase.json says of headers: source, key, value."""
    rows = json.loads((ROOT / "firebase.json").read_text())["hosting"]["headers"]
    return [(row["source"], pair["key"], pair["value"]) for row in rows for pair in row["headers"]]


def test_policy():
    """All pages have one policy, to the letter: no script, style or frame but of this host."""
    assert {key: value for source, key, value in rules() if source == "**"} == PAGES


def test_pages_and_modules_are_asked_for_anew():
    """Old and new modules never mix: each page, and all that it loads, is held to the host's."""
    fresh = {source: value for source, key, value in rules() if key == "Cache-Control"}
    sources = ("/", "/index.html", "/app/**", "/docs", "/docs/**")
    assert fresh == dict.fromkeys(sources, "no-cache")


@pytest.mark.parametrize(
    "file", [*OURS, *sorted(DOCS.iterdir())], ids=lambda file: str(file.relative_to(CONSOLE))
)
def test_nothing_forbidden(file):
    """No file of ours turns text into markup or code, keeps anything, or names another host."""
    text = file.read_text().replace(SVG, "")
    assert [word for word in FORBIDDEN if word in text] == []


def test_budget():
    """All that the console ever loads is at most 75 kB, packed; the reference 12 kB."""
    console = packed(CONSOLE / "index.html", *OURS, *VENDOR.glob("*.js"))
    assert sum(console.values()) <= BUDGET, console
    docs = packed(*DOCS.iterdir())
    assert sum(docs.values()) <= DOCS_BUDGET, docs


def test_every_file_is_asked_for_at_once():
    """The page names each module, so that none waits for another to be read (ADR 28)."""
    named = re.findall('<link rel="modulepreload" href="/([^"]+)">', text_of("index.html"))
    assert sorted(named) == sorted(str(file.relative_to(CONSOLE)) for file in APP.rglob("*.js"))


def text_of(name):
    """Give a file of the console's."""
    return (CONSOLE / name).read_text()


def packed(*files):
    """Give the sizes of files as they travel."""
    return {str(file): len(gzip.compress(file.read_bytes(), 9)) for file in files}


def test_vendored_files_are_those_named():
    """What others wrote is what it was, and no file lies beside it unnamed; licences are there."""
    rows = [line.split() for line in (VENDOR / "SHA256").read_text().splitlines()]
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in scripts(VENDOR)}
    assert found == {name: digest for digest, name in rows}
    htm = "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7"
    assert found["preact-htm.js"] == htm
    licence = (VENDOR / "LICENSE").read_text()
    assert all(word in licence for word in ("htm", "Apache License", "Preact", "MIT licence"))


def scripts(folder):
    """Give what a browser loads of a folder."""
    return [file for file in folder.iterdir() if file.name not in {"LICENSE", "SHA256"}]


class Page(HTMLParser):
    """What a page loads and links to, and what of it a strict policy would not let run."""

    def __init__(self, text):
        super().__init__()
        self.links, self.wrong = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note the addresses of a tag, and what is written into it."""
        named = dict(attrs)
        self.links += [named[key] for key in ("src", "href", "action") if key in named]
        self.wrong += [key for key in named if key.startswith("on") or key == "style"]
        if tag == "style" or (tag == "script" and "src" not in named):
            self.wrong.append(tag)


def pages():
    """Give the pages that there are."""
    return sorted(CONSOLE.rglob("*.html"))


@pytest.mark.parametrize("file", pages(), ids=lambda file: str(file.relative_to(CONSOLE)))
def test_pages(file):
    """A page has no script or style within it, and loads and links to this host alone."""
    text = file.read_text()
    page = Page(text)
    assert page.wrong == []
    assert [link for link in page.links if not re.match(r"/(?!/)|#", link)] == []
    assert not re.search(r"https?:|url\(|@import", text)
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme):
    """Each colour stands out from what lies behind it, light and dark, as app.css has them."""
    colours = tokens(APP / "app.css", theme)
    short = {
        (colour, back): round(contrast(colours[colour], colours[back]), 2)
        for colour, back, least in PAIRS
        if contrast(colours[colour], colours[back]) < least
    }
    assert short == {}


def test_contrast_is_computed():
    """The formula is WCAG's: black on white has 21, and #777 on white just fails."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def tokens(file: Path, theme: int) -> dict[str, str]:
    """Give the colours that a style sheet declares by `light-dark()`."""
    found = re.findall(r"--([\w-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\)", file.read_text())
    return {name: pair[theme] for name, *pair in found}


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Give how light a colour is, from 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
