"""A question that yes or no answers, or a word; asked once, the end of standard input is a no."""

import sys

from ce.text.render import emit

YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no", ""})


def agreed(question: str) -> bool:
    """Ask, and tell whether the answer is yes."""
    said = _answer(question).strip().lower()
    if said not in YES | NO:
        emit("Neither yes nor no: nothing was done.\n", error=True)
    return said in YES


def typed(question: str, word: str) -> bool:
    """Ask for a word, and tell whether that is the answer."""
    said = _answer(question).rstrip("\r\n")
    if said not in {word, ""}:
        emit("That is another word: nothing was done.\n", error=True)
    return said == word


def _answer(question: str) -> str:
    emit(question)
    try:
        answer = sys.stdin.readline()
    except OSError:  # it cannot be read: a folder, a terminal that is gone
        answer = ""
    if not (sys.stdin.isatty() and answer.endswith("\n")):
        emit("\n")  # a terminal has shown the answer's own
    if not answer:
        emit("No answer: nothing was done; --force does not ask.\n", error=True)
    return answer
