"""Values that are planted, and the search for them in all the forms in which they could show.

Each value is drawn for its place, and begins and ends with a mark of the run that no chance
writes: a search for two marks finds any of them, whole or cut off on one side.
"""

import copy
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import dump, forms_of, kinds_examples

ODD = " %/+&=?#\"\\'<>é😀\u2028"  # what URLs, JSON, HTML, shells and terminals write otherwise
LENGTH = 24  # of a mark: enough for base64 of it to stand for it


def mark() -> str:
    """Draw a mark: letters and digits, of both cases, so it is in no form but its own."""
    return "Q" + "".join(secrets.choice("abcdefghkmnpqrstXYZ23456789") for _ in range(LENGTH - 1))


@dataclass
class Canaries:
    """The values of one run, by the places they were planted in."""

    head: str = field(default_factory=mark, repr=False)
    tail: str = field(default_factory=mark, repr=False)
    planted: dict[str, str] = field(default_factory=dict, repr=False)
    keys: dict[str, bytes | str] = field(default_factory=dict, repr=False)  # of another form

    def plant(self, place: str, odd: str = ODD) -> str:
        """Give a value for a place; with an empty `odd`, of letters and digits alone."""
        assert place not in self.planted, place
        self.planted[place] = f"{self.head}{secrets.token_hex(4)}{odd}{self.tail}"
        return self.planted[place]

    def word(self, place: str) -> str:
        """Give a value that can stand where not every character can."""
        return self.plant(place, "")

    def filled(self, place: str, body: Any) -> Any:
        """Give an example's body with a value of its own in each place that is sealed."""
        match body:
            case str() if body.startswith(kinds_examples.CODE):
                return kinds_examples.code_of(self.plant(place))
            case str() if kinds_examples.CANARY in body:
                return body.replace(kinds_examples.CANARY, self.plant(place))
            case dict():
                return {key: self.filled(f"{place}.{key}", item) for key, item in body.items()}
            case list():
                return [self.filled(f"{place}.{n}", item) for n, item in enumerate(body)]
        return copy.copy(body)

    def marks(self) -> dict[str, dict[str, bytes]]:
        """Give what to look for: of each thing its forms."""
        return {"a planted value's head": forms_of(self.head), "its tail": forms_of(self.tail)}

    def keys_by_form(self) -> dict[str, dict[str, bytes]]:
        """Give what to look for of the keys."""
        return {name: forms_of(value) for name, value in self.keys.items()}


def shows(wanted: Mapping[str, Mapping[str, bytes]], places: Mapping[str, bytes]) -> list[str]:
    """Give what shows, where and in which form; never the value."""
    return [
        f"{name} in {place} as {form}"
        for place, content in places.items()
        for name, forms in wanted.items()
        for form, text in forms.items()
        if text in content
    ]


def files(*folders: Path, but: tuple[Path, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """Give names and contents of all files below some folders, names included in the content."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(path.is_relative_to(known) for known in but):
                yield str(path), str(path).encode() + b"\n" + path.read_bytes()


def documents(found: Mapping[str, Any]) -> dict[str, bytes]:
    """Give the content of documents: path, names of fields, and every value."""
    return {path: b"\n".join(dump({path: fields})) for path, fields in found.items()}


def processes(**pids: int) -> dict[str, bytes]:
    """Give arguments and environment of processes."""
    return {
        f"{what} of {name}": Path(f"/proc/{pid}/{what}").read_bytes()
        for name, pid in pids.items()
        for what in ("cmdline", "environ")
    }
