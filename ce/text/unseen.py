"""What nobody sees in a text: blanks, marks, characters without a shape, halves of characters.

A value that is nothing else is empty to whoever typed it, whatever a program counts in it.
"""

import unicodedata

MARK = "\ufeff"  # what some editors put before a text; it means nothing
# Control, format and separating characters, by Unicode's categories.
UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
PLAIN = frozenset(" \t\r\n")
# Fillers and variation selectors, which Unicode counts among letters, symbols and accents.
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def blank(text: str) -> bool:
    """Tell whether nothing of a text can be seen."""
    return not text.strip() or all(
        char in FILLERS or unicodedata.category(char) in UNSEEN for char in text
    )


def unseen(text: str) -> bool:
    """Tell whether a text holds a character that nobody sees, blanks and ends of lines aside."""
    return not (text.isascii() and text.isprintable()) and any(
        char in FILLERS or (char not in PLAIN and unicodedata.category(char) in UNSEEN)
        for char in text
    )


def bare(text: str) -> str:
    """Give a text without blanks at its ends and without byte order marks before it."""
    text = text.strip()
    while text.startswith(MARK):
        text = text.removeprefix(MARK).strip()
    return text


def broken(text: str) -> bool:
    """Tell whether a text cannot be sent: bytes that are no UTF-8 came to be halves in it."""
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)
