"""Bodies as they come off the wire: what two parsers could read differently is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import quotas
from shared.api import operations
from shared.api.document import resolved
from shared.errors import Error
from shared.wire.strict import parse_form, parse_json, parse_query

CANARY = "c4n4ry"
TEXT = st.text(max_size=20)  # never a lone surrogate: Hypothesis draws what UTF-8 can hold
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
C = CANARY.encode()
REFUSED = {
    "empty": b"",
    "blank": b" \n",
    "bare word": C,
    "open string": b'"' + C,
    "open object": b'{"k": "' + C + b'"',
    "single quotes": b"{'k': '" + C + b"'}",
    "trailing comma": b'["' + C + b'",]',
    "trailing word": b'{"k": 1} ' + C,
    "second value": b'{"k": 1}{"k": "' + C + b'"}',
    "comment": b'{"k": 1} // ' + C,
    "raw line feed in a string": b'"a\n' + C + b'"',
    "raw zero in a string": b'"a\0' + C + b'"',
    "bad escape": b'"\\x' + C + b'"',
    "half an escape": b'"' + C + b'\\u12"',
    "leading zero": b"01",
    "plus": b"+1",
    "point first": b".5",
    "hex": b"0x10",
    "underscore": b"1_000",
    "full-width digit": "５".encode(),  # noqa: RUF001
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b'{"' + C + b'": -Infinity}',
    "nested NaN": b'[{"' + C + b'": [NaN]}]',
    "twice": b'{"' + C + b'": 1, "' + C + b'": 2}',
    "twice alike": b'{"k": 1, "k": 1}',
    "twice nested": b'{"a": [{"' + C + b'": 1, "' + C + b'": 1}]}',
    "twice escaped": b'{"\\u006b": 1, "k": 2}',
    "byte order mark": b"\xef\xbb\xbf" + b'{"' + C + b'": 1}',
    "UTF-16": f'{{"{CANARY}": 1}}'.encode("utf-16"),
    "UTF-16 without a mark": f'{{"{CANARY}": 1}}'.encode("utf-16-le"),
    "UTF-32": f'{{"{CANARY}": 1}}'.encode("utf-32"),
    "Latin-1": b'"' + C + b'\xe9"',
    "overlong": b'"' + C + b'\xc0\xaf"',
    "surrogate in UTF-8": b'"' + C + b'\xed\xa0\x80"',
    "cut UTF-8": b'"' + C + b'\xf0\x9f\x98"',
    "lone high surrogate": b'"' + C + b'\\ud800"',
    "lone low surrogate": b'"' + C + b'\\uDC00"',
    "swapped pair": b'"\\ude00\\ud83d' + C + b'"',
    "lone surrogate as key": b'{"' + C + b'\\ud83d": 1}',
    "lone surrogate deep down": b'{"a": [{"b": "' + C + b'\\udfff"}]}',
    "33 arrays": b"[" * 33 + b'"' + C + b'"' + b"]" * 33,
    "33 objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "33 of both": b'[{"a":' * 16 + b"[1]" + b"}]" * 16,
    "100,000 arrays": b"[" * 100_000,
    "100,000 arrays, closed": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "an endless number": b"9" * 5000,
    "an endless member": b'{"' + C + b'": ' + b"1" * 100_000 + b"}",
    "deep after an escaped quote": b'["\\"", ' + b"[" * 32 + b"]" * 33,
    "deep after an escaped backslash": b'["\\\\", ' + b"[" * 32 + b"]" * 33,
}
TAKEN = {
    "null": (b"null", None),
    "string": (b'"a"', "a"),
    "zero": (b"-0", 0),
    "exponent": (b"1e3", 1000.0),
    "blanks around": (b' \t\r\n{"a" : 1 } \n', {"a": 1}),
    "an empty name": (b'{"": 1}', {"": 1}),
    "the same name in two objects": (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    "names that look alike": (b'{"\\u00e9": 1, "e\\u0301": 2}', {"\u00e9": 1, "e\u0301": 2}),
    "a pair": (b'"\\ud83d\\ude00"', "😀"),
    "a pair as key": (b'{"\\uD83D\\uDE00": "\\u00e9"}', {"😀": "é"}),
    "raw unicode": ('"😀é"'.encode(), "😀é"),
    "escaped zero": (b'"\\u0000"', "\0"),
    "an escaped surrogate's escape": (b'"\\\\ud800"', "\\ud800"),
    "64 bits": (b"9223372036854775807", 2**63 - 1),
    "beyond 64 bits": (b"123456789012345678901234567890", 123456789012345678901234567890),
    "a mark within": (b'"\xef\xbb\xbf"', "\ufeff"),
    "32 arrays": (b"[" * 32 + b"]" * 32, None),
    "32 objects": (b'{"a":' * 32 + b"1" + b"}" * 32, None),
    "1,000 arrays side by side": (b"[" + b",".join([b"[]"] * 1000) + b"]", [[]] * 1000),
    "brackets in strings": (b'["' + b"[{" * 100 + b'"]', ["[{" * 100]),
    "brackets after escaped quotes": (b'["\\"' + b"[" * 100 + b'"]', ['"' + "[" * 100]),
    "brackets after a backslash": (b'["\\\\", "' + b"[" * 100 + b'"]', ["\\", "[" * 100]),
    "brackets after both": (b'["\\\\\\"' + b"[" * 100 + b'"]', ['\\"' + "[" * 100]),
    "closing brackets in strings": (b'["' + b"]}" * 100 + b'"]', ["]}" * 100]),
}


def expect_malformed(parse, raw):
    """Require the refusal, in a sentence that repeats nothing of what was sent."""
    with pytest.raises(Error) as refused:
        parse(raw)
    error = refused.value
    assert (error.code, error.status, error.others) == ("malformed_request", 400, ())
    assert CANARY not in error.message
    assert len(error.message) < 60
    assert error.__suppress_context__ or error.__context__ is None
    return error.message


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_refused(raw):
    """What is no JSON, or JSON that readers may disagree on, is refused."""
    expect_malformed(parse_json, raw)


@pytest.mark.parametrize(("raw", "value"), TAKEN.values(), ids=TAKEN)
def test_taken(raw, value):
    """All other JSON is read as it is."""
    found = parse_json(raw)
    assert found == (json.loads(raw) if value is None else value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff", "The body is not UTF-8."),
        (b"x", "The body is not JSON."),
        (b"[NaN]", "NaN and Infinity are not JSON."),
        (b'{"a":1,"a":2}', "The body names a member twice."),
        (b"[" * 99, "The body is nested deeper than 32."),
        (b'"\\ud800"', "The body holds half of a surrogate pair."),
    ],
)
def test_wording(raw, message):
    """The refusal says what is wrong."""
    assert expect_malformed(parse_json, raw) == message


@given(VALUES)
def test_any_value(value):
    """Whatever the standard writer writes comes back, escaped or not."""
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes(raw):
    """Any bytes are read, or refused with one code: nothing else is raised."""
    try:
        parse_json(raw)
    except Error as error:
        assert error.code == "malformed_request"  # noqa: PT017 - both ends are right


@given(st.text('[]{}\\",:a1 u', max_size=60))
def test_any_brackets(text):
    """Any mixture of brackets, quotes and backslashes is read or refused."""
    try:
        value = parse_json(text.encode())
    except Error as error:
        assert error.code == "malformed_request"  # noqa: PT017 - both ends are right
    else:
        assert value == json.loads(text)


def test_large_and_flat():
    """A body of the largest size is read: size alone is not depth."""
    text = "[{" * 500_000
    assert parse_json(json.dumps({"a": text}).encode()) == {"a": text}


TOKEN = b"grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=k&response_type=c"
FORMS = {
    "a token request": (
        TOKEN,
        {
            "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
            "apikey": "k",
            "response_type": "c",
        },
    ),
    "nothing": (b"", {}),
    "blank value": (b"a=&b=", {"a": "", "b": ""}),
    "no equals sign": (b"a", {"a": ""}),
    "plus": (b"a=b+c", {"a": "b c"}),
    "escaped plus": (b"a=b%2Bc", {"a": "b+c"}),
    "unicode": (b"a=%C3%A9%F0%9F%98%80", {"a": "é😀"}),
    "equals in the value": (b"a=b=c", {"a": "b=c"}),
    "a semicolon is no separator": (b"a=b;c=d", {"a": "b;c=d"}),
    "names that differ in case": (b"a=1&A=2", {"a": "1", "A": "2"}),
}
BAD_FORMS = {
    "twice": b"apikey=" + C + b"&apikey=" + C,
    "twice escaped": b"apikey=" + C + b"&%61pikey=" + C,
    "not UTF-8": b"apikey=" + C + b"\xff",
    "escaped, not UTF-8": b"apikey=" + C + b"%ff",
    "escaped surrogate": b"apikey=" + C + b"%ed%a0%80",
    "overlong": b"apikey=%c0%af" + C,
    "bad percent": b"apikey=" + C + b"%zz",
    "cut percent": b"apikey=" + C + b"%4",
    "bare percent": b"apikey=100%",
}


@pytest.mark.parametrize(("raw", "value"), FORMS.values(), ids=FORMS)
def test_form(raw, value):
    """A form is read as browsers write it."""
    assert parse_form(raw) == value


@pytest.mark.parametrize("raw", BAD_FORMS.values(), ids=BAD_FORMS)
def test_bad_form(raw):
    """A form that readers may disagree on is refused."""
    expect_malformed(parse_form, raw)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "[1e400]"])
def test_number_too_large(number):
    """A number that Python would call infinite is refused: no JSON could answer it."""
    expect_malformed(parse_json, number.encode())


def bounded(raw):
    """Give the code of the refusal of what the bounds do not let through, before it is parsed."""
    with pytest.raises(Error) as refused:
        parse_json(raw)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize("around", [b"%s", b'{"k": [%s0]}', b'["\\\\\\"", %s0]'])
def test_strings_are_bounded(around):
    """One string more than there may be is refused; quotes within strings are none."""
    own = around.count(b'"') // 2 - around.count(b'\\"') // 2
    for piece in (b'"",', b'"\\"",', b'"\\\\",', b'"a[{",'):
        code, message = bounded(around % (piece * (quotas.JSON_STRINGS + 1 - own)))
        assert (code, message) == ("malformed_request", "The body holds more than 4096 strings.")
    if b"[" in around:
        taken = parse_json(around % (b'"\\"",' * (quotas.JSON_STRINGS - own)))
        assert json.dumps(taken).count('"\\""') == quotas.JSON_STRINGS - own


def test_what_is_outside_strings_is_bounded():
    """Blanks, brackets and digits count; what stands in strings does not."""
    full = b"[" + b"0," * 32_766 + b"0]"
    assert len(full) == quotas.JSON_STRUCTURE_BYTES - 1
    assert len(parse_json(full + b" ")) == 32_767
    said = "The body may hold at most 65536 bytes outside strings."
    for more in (full + b"  ", b'["a", ' + full[1:]):
        assert bounded(more) == ("malformed_request", said)
    long = b'["' + b"[{,:1 " * 100_000 + b'\\"", ' + full[1 : 1 - 4000] + b"]"
    assert len(parse_json(long)) == 30_769


def test_text_is_bounded():
    """What a body opens to counts, not how it is written: six bytes may stand for one."""
    most, code = quotas.JSON_TEXT_BYTES, "payload_too_large"
    assert len(parse_json(b'"' + b"\\u0001" * 2_100_000 + b'"')) == 2_100_000
    assert len(parse_json(b'"' + b'\\"' * (most - 2) + b'"')) == most - 2
    assert len(parse_json(b'"' + b"a" * (most - 2) + b'"')) == most - 2
    assert len(parse_json(b'"' + b"\\n" * (most - 2) + b'"')) == most - 2
    for piece in (b"a", b"\\\\", b'\\"', b"\\n"):
        raw = b'"' + piece * (most + 1) + b'"'
        assert bounded(raw) == (code, "The body may hold at most 4194304 bytes, escapes undone.")


@given(st.text('[]{}\\",:a1 u', max_size=60), st.integers(0, 12), st.integers(0, 20))
def test_bounds_hold_for_all_that_is_built(text, strings, structure):
    """Whatever is read has no more strings, and no more beside them, than the bounds say."""
    limits = {"JSON_STRINGS": strings, "JSON_STRUCTURE_BYTES": structure}
    with pytest.MonkeyPatch.context() as patched:
        for name, most in limits.items():
            patched.setattr(quotas, name, most)
        try:
            value = parse_json(text.encode())
        except Error as error:
            assert error.code == "malformed_request"  # noqa: PT017 - both ends are right
            return
    built = json.dumps(value, separators=(",", ":"))
    beside = "".join(built.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    assert built.replace("\\\\", "").replace('\\"', "").count('"') <= 2 * strings
    assert len(beside.replace(".0", "")) <= structure


def largest(schema):
    """Give a body with every member and entry that a schema takes, each value a short text."""
    schema = resolved(schema)
    if "properties" in schema:
        return {name: largest(item) for name, item in schema["properties"].items()}
    if "additionalProperties" in schema:
        return {f"{'k' * 249}{n:04}": "v" for n in range(schema["maxProperties"])}
    if "items" in schema:
        return [largest(schema["items"]) for _ in range(schema["maxItems"])]
    return "value"


def test_the_largest_body_is_within_bounds(subtests):
    """Every array and object full, a member a line: half the strings there may be are left over."""
    most = 0
    for operation in operations().values():
        if operation.media_types:
            with subtests.test(operation.id):
                text = json.dumps(largest(operation.body_schema), indent=4)
                assert parse_json(text.encode()) == json.loads(text)
                most = max(most, text.count('"') // 2)
    assert quotas.JSON_STRINGS / 2 < most < quotas.JSON_STRINGS * 3 / 4


@pytest.mark.parametrize(("parse", "what"), [(parse_form, "form"), (parse_query, "query")])
def test_pairs_are_bounded(parse, what):
    """As many as there may be are read, one more is refused before any is."""
    raw = b"&".join(b"a%d=" % n for n in range(quotas.PAIRS))
    assert len(parse(raw)) == quotas.PAIRS
    assert expect_malformed(parse, raw + b"&") == f"The {what} holds more than 1000 pairs."
