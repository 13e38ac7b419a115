"""What the policy of all pages stops, seen in a browser: what would be an attack's next step."""

import re

import pytest

# What a script that got in would try; each is stopped, and Chromium prints that it is.
ATTEMPTS = {
    "markup of text": "document.body.innerHTML = '<p id=in>'",
    "code of text": "setTimeout('document.body.id = \"in\"')",
    "a script in the page": "add('script', { textContent: 'document.body.id = \"in\"' })",
    "a style in the page": "add('style', { textContent: 'body { color: red }' })",
    "a style at an element": "document.body.setAttribute('style', 'color: red')",
    "a picture elsewhere": "add('img', { src: 'http://127.0.0.1:9/x', alt: '' })",
    "a picture in an address": "add('img', { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' })",
    "a question elsewhere": "fetch('http://127.0.0.1:9/').catch(() => 0)",
    "a frame": "add('iframe', { src: '/docs' })",
    "a worker of text": "new Worker('data:text/javascript,1')",
}
STOPPED = r"Content Security Policy|requires 'Trusted\w+' assignment"
ADD = """(tag, members) => {
  const made = Object.assign(document.createElement(tag), members);
  document.body.append(made);
}"""


@pytest.mark.parametrize("path", ["/", "/docs/", "/404.html"])
def test_each_attempt_is_stopped(page, watch, console_url, path):
    """Each is refused by the policy, which the browser says; none of them leaves a trace."""
    page.goto(console_url + path)
    assert watch.unexpected() == []
    colour = page.evaluate("getComputedStyle(document.body).color")
    for what, script in ATTEMPTS.items():
        watch.seen.clear()
        page.evaluate(f"try {{ const add = {ADD}; {script}; 0 }} catch (stopped) {{ 0 }}")
        assert any(re.search(STOPPED, line) for line in watch.unexpected()), (what, watch.seen)
    assert page.evaluate("document.getElementById('in')") is None
    assert page.evaluate("getComputedStyle(document.body).color") == colour
    watch.seen.clear()
