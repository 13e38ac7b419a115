"""What a project's name may be, beyond its pattern in openapi.yaml. Pure."""

import re
import unicodedata

from shared.errors import invalid

# Categories of characters that are invisible or change what is around them; and those that
# Unicode lets a renderer leave out (Default_Ignorable_Code_Point) in other categories.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def checked(name: str) -> str:
    """Refuse what a reader cannot see: IBM's pattern lets every non-ASCII character through.

    Of a new project alone: one that is stored stays as it is. Raises Error `invalid_field`.
    """
    if name != name.strip():
        raise invalid("name", "must not begin or end with a blank")
    if not unicodedata.is_normalized("NFC", name):
        raise invalid("name", "must be in NFC")
    unseen = (unicodedata.category(character) in UNSEEN for character in name.replace(" ", ""))
    if any(unseen) or IGNORABLE.search(name):
        raise invalid("name", "must not hold control, format or other invisible characters")
    return name
