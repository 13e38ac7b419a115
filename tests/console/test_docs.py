"""The API's reference at /docs, in a browser: all operations, however it is looked at."""

import json
import re
import shlex

import jsonschema_rs
import pytest
import requests

from tests.support import ROOT
from tests.support.pages import DESKTOP, FAILED, PHONE, clean, fits, in_all_looks, look


@pytest.fixture
def api(host):
    """The description that the page draws."""
    return requests.get(f"{host.url}/openapi.json", timeout=30).json()


@pytest.fixture
def docs(page, console_url):
    """The page, drawn."""
    return opened(page, console_url)


def opened(page, url, place=""):
    """Open the page at a place, and wait until it is drawn."""
    page.goto(f"{url}/docs{place}")
    page.locator(".operation").first.wait_for()
    return page


def operations(api):
    """Give each operation: its method, path, and what is said of it."""
    for path, item in api["paths"].items():
        for method, spec in item.items():
            if method != "parameters":
                yield method.upper(), path, spec


def test_all_is_there(docs, api):
    """Each operation is drawn once, under its id, with its verb, its path and its summary."""
    found = docs.locator(".operation").evaluate_all(
        "all => all.map(one => [one.id, ...one.querySelector('summary').children]"
        ".map((part, index) => index ? part.textContent : part))"
    )
    wanted = [
        [spec["operationId"], method, path, spec["summary"].replace("`", "")]
        for method, path, spec in operations(api)
    ]
    assert sorted(found) == sorted(wanted)
    assert docs.get_by_role("status").text_content() == f"{len(wanted)} operations"
    assert docs.get_by_role("alert").count() == 0
    assert docs.title() == "API reference · Reprieve"


def test_errors(docs, api):
    """The table has each code of the description with its status, and when."""
    entry = api["components"]["schemas"]["Error"]["properties"]["errors"]["items"]["properties"]
    rows = docs.locator("#codes tbody tr").evaluate_all(
        "all => all.map(row => [...row.children].map(cell => cell.textContent))"
    )
    assert rows == [
        [row["code"], str(row["status"]), row["when"].replace("`", "")]
        for row in entry["code"]["x-codes"]
    ]


def test_contents(docs, api):
    """Each line leads to a heading that is there: what all share, then each tag."""
    links = docs.locator("#contents a").evaluate_all("all => all.map(one => [one.hash, one.text])")
    tags = {spec["tags"][0] for _, _, spec in operations(api)}
    assert [place for place, _ in links[:3]] == ["#sign-in", "#errors", "#paging"]
    assert {text.lower() for _, text in links[3:]} == {tag.lower() for tag in tags}
    for place, text in links:
        assert docs.locator(place).text_content() == text


def test_an_address_opens_its_operation(page, console_url):
    """A link to an operation opens it, shows it and gives it the focus; so does the next one."""
    opened(page, console_url, "#create_secret")
    for name in ("create_secret", "list_projects"):
        page.evaluate("name => { location.hash = name }", name)
        place = page.locator(f"#{name}[open]")
        place.locator("summary:focus").first.wait_for()
        assert 0 <= place.bounding_box()["y"] < DESKTOP["height"] / 2
    page.goto("about:blank")
    page.goto(f"{console_url}/docs#get_secret")
    page.locator("#get_secret[open] > summary:focus").wait_for()


def test_an_address_that_is_none(page, console_url):
    """What cannot be decoded leads nowhere, and what follows still does."""
    opened(page, console_url, "#%zz")
    page.evaluate("location.hash = 'get_secret'")
    page.locator("#get_secret[open] > summary:focus").wait_for()


def test_members_and_limits(page, console_url):
    """Members within members have rows, with type, need and limits; conditions are sentences."""
    opened(page, console_url, "#create_app")
    body = page.locator("#create_app").get_by_role("table", name="Members of the body")
    texts = body.locator("tbody tr").all_inner_texts()
    rows = {row.split("\t", 1)[0].strip(): re.sub(r"\s+", " ", row) for row in texts}
    assert "string required" in rows["name"]
    assert "1 to 63 characters; must be lower-case letters" in rows["name"]
    assert "0 to 65,535; default 8080" in rows["image_port"]
    assert "array of object" in rows["run_env_variables"]
    assert "one of" in rows["run_env_variables[].type"]
    secret = page.locator("#create_secret").text_content()
    assert "With format tls, data.tls_cert, data.tls_key must be there." in secret
    assert "application/json, at most 13 MiB" in secret
    token = page.locator("#issue_token").text_content()
    assert "code must be there; else apikey." in token
    answer = page.locator("#create_app .members")
    answer.get_by_text("Members of 201").click()
    answer.get_by_role("row", name="entity_tag").wait_for()


def test_examples_are_valid(docs, api):
    """Each example is a request of its operation: the path, the verb, a body that is valid."""
    texts = docs.locator(".operation .paste code").evaluate_all(
        "all => Object.fromEntries(all.map(one => [one.closest('.operation').id, one.textContent]))"
    )
    for method, path, spec in operations(api):
        text = texts[spec["operationId"]]
        words = shlex.split(text.replace("\\\n", " "))
        address = next(word for word in words if word.startswith("http"))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(path))
        assert re.fullmatch(rf"http://127\.0\.0\.1:\d+{pattern}", address), text
        verb = words[words.index("-X") + 1] if "-X" in words else "POST" if "-d" in words else "GET"
        assert verb == method, text
        assert ("Authorization: Bearer $TOKEN" in words) == (spec.get("security") != []), text
        content = spec.get("requestBody", {}).get("content", {})
        if content:
            given = [words[at + 1] for at, word in enumerate(words) if word == "-d"]
            form = "application/x-www-form-urlencoded" in content
            body = dict(row.split("=", 1) for row in given) if form else json.loads(*given)
            schema = next(iter(content.values()))["schema"] | {"components": api["components"]}
            jsonschema_rs.validate(schema, body)


def test_filter(docs):
    """What has all the words stays, with its heading; an address beyond it takes it away."""
    box = docs.get_by_role("searchbox", name="Filter operations")
    box.fill("delete SECRET")
    assert docs.locator(".operation:visible").evaluate_all("all => all.map(one => one.id)") == [
        "delete_secret"
    ]
    assert docs.locator("#operations h2:visible").all_text_contents() == ["Secrets"]
    assert docs.get_by_role("status").text_content().startswith("1 of ")
    assert docs.locator("#contents li:visible").count() == 4
    box.fill("no such words")
    assert docs.get_by_role("status").text_content() == "No operation has these words."
    docs.evaluate("location.hash = 'list_projects'")
    docs.locator("#list_projects[open]").wait_for()
    assert box.input_value() == ""


def test_keyboard(docs):
    """`/` goes to the filter, and is a letter in it; Enter opens an operation, Tab goes into it."""
    docs.keyboard.press("Tab")
    assert docs.evaluate("document.activeElement.textContent") == "Skip to the reference"
    docs.keyboard.press("Enter")
    docs.locator("main:focus").wait_for()
    docs.keyboard.press("/")
    docs.locator("#filter:focus").wait_for()
    docs.keyboard.type("v2/projects delete project")
    assert docs.get_by_label("Filter operations").input_value() == "v2/projects delete project"
    for key in ("Tab", "Tab", "Enter", "Tab"):
        docs.keyboard.press(key)
    assert docs.evaluate("document.activeElement.textContent") == "Link to this operation"


def test_open_all(docs):
    """One button opens and closes all that the filter leaves, and says which it would do."""
    docs.get_by_label("Filter operations").fill("secret")
    docs.get_by_role("button", name="Open all").click()
    shown, opened = docs.locator(".operation:visible"), docs.locator(".operation[open]")
    assert shown.count() == opened.count() > 4
    docs.get_by_role("button", name="Close all").click()
    assert opened.count() == 0
    docs.get_by_role("button", name="Open all").wait_for()


def test_copy(new_page, console_url):
    """The commands are copied as they stand, and the button says so."""
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    opened(page, console_url)
    page.get_by_role("button", name="Copy the commands").click()
    page.get_by_role("button", name="Copied the commands").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#curl code").text_content()
    assert f"{console_url}/identity/token" in copied


def test_text_stays_text(docs, watch):
    """Nothing that the description says becomes markup; a schema within itself comes to an end."""
    hostile = "<img src=x onerror=alert(1)>`<b>`"
    error = {"errors": {"items": {"properties": {"code": {"x-codes": []}}}}}
    spec = {
        **dict.fromkeys(("operationId", "summary", "x-function"), hostile),
        "tags": [hostile],
        "requestBody": {"content": {hostile: {"schema": {"$ref": "#/components/schemas/Self"}}}},
        "responses": {"200": {"description": hostile}},
    }
    inner = {"type": "object", "properties": {"self": {"$ref": "#/components/schemas/Self"}}}
    api = {
        "info": {"description": hostile},
        "paths": {"/x": {"post": spec}},
        "components": {"schemas": {"Self": inner, "Error": {"properties": error}}},
    }
    docs.evaluate("api => import('/docs/draw.js').then(({ draw }) => draw(api))", api)
    made = docs.locator(".operation").last
    assert made.locator("summary .sub").text_content() == hostile.replace("`", "")
    assert made.locator("img, b").count() == 0
    rows = made.get_by_role("table", name="Members of the body", include_hidden=True)
    assert rows.locator("tbody tr").count() == 1
    assert watch.unexpected() == []


def test_without_the_description(page, watch, console_url):
    """Cut off from the host, the page says so, and draws all once the host is there again."""
    watch.allow(f"{FAILED}: net::ERR_FAILED")
    page.route("**/openapi.json", lambda route: route.abort())
    page.goto(f"{console_url}/docs")
    assert "The host does not give the description" in page.get_by_role("alert").text_content()
    clean(page)
    page.unroute("**/openapi.json")
    page.get_by_role("button", name="Try again").click()
    page.locator(".operation").first.wait_for()


def test_phone(new_page, console_url):
    """On a phone the contents are folded, and open by a touch."""
    page = opened(new_page(viewport=PHONE, has_touch=True), console_url)
    assert not page.locator("#contents").is_visible()
    page.get_by_text("Contents", exact=True).tap()
    assert page.locator("#contents").is_visible()
    page.set_viewport_size(DESKTOP)
    page.locator("#contents").wait_for()


@pytest.mark.slow
def test_all_looks(docs):
    """In each look all can be read, closed and open, and nothing scrolls sideways."""
    for name in ("create_secret", "update_app", "issue_token"):
        docs.locator(f"#{name} > summary").click()
    docs.locator("#create_secret .members > summary").click()
    in_all_looks(docs, clean)
    look(docs, DESKTOP, "dark", forced=True)
    clean(docs)


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_nothing_scrolls_sideways(docs, width):
    """However wide the page is, all of it fits when all is open."""
    docs.set_viewport_size({"width": width, "height": 800})
    docs.get_by_role("button", name="Open all").click()
    for more in docs.locator(".members > summary").all():
        more.dispatch_event("click")
    fits(docs)


def test_readme_leads_there(page, console_url):
    """README.md names the page; its address without a file leads to it too."""
    assert "/docs" in (ROOT / "README.md").read_text()
    for path in ("/docs/", "/docs/index.html"):
        page.goto(console_url + path)
        page.locator(".operation").first.wait_for()
