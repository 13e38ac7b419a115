"""What a project's name may be, beyond its pattern in openapi.yaml. Pure."""

import re
import unicodedata

from shared.errors import invalid

# Categories of characters that are invisible or change what is around them. Not `Cn`: what this
# Python does not know may be a letter of a newer Unicode, and is drawn as something.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})
# In other categories: what Unicode lets a renderer leave out (Default_Ignorable_Code_Point), known
# or to come, and what will never be a character.
NEVER = "\ufdd0-\ufdef" + "".join(
    f"{chr(end - 1)}-{chr(end)}" for end in range(0xFFFF, 0x110000, 0x10000)
)
IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    f"\U000e0000-\U000e0fff{NEVER}]"
)
# U+FE0F asks that the symbol before it, or a keycap's digit, be an emoji; keyboards add it.
EMOJI = re.compile(
    "(?:[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]|[0-9](?=\ufe0f\u20e3))\ufe0f"
)


def checked(name: str) -> str:
    """Refuse what a reader cannot see: IBM's pattern lets every non-ASCII character through.

    Of a new project alone: one that is stored stays as it is. Raises Error `invalid_field`.
    """
    if name != name.strip():
        raise invalid("name", "must not begin or end with a blank")
    if not unicodedata.is_normalized("NFC", name):
        raise invalid("name", "must be in NFC")
    plain = EMOJI.sub("", name)
    unseen = (unicodedata.category(character) in UNSEEN for character in plain.replace(" ", ""))
    if any(unseen) or IGNORABLE.search(plain):
        raise invalid("name", "must not hold control, format or other invisible characters")
    return name
