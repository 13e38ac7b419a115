"""A question that yes or no answers, asked once; the end of standard input is a no."""

import sys

from ce.text.render import emit

YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no", ""})


def agreed(question: str) -> bool:
    """Ask, and tell whether the answer is yes."""
    emit(question)
    try:
        answer = sys.stdin.readline()
    except OSError:  # it cannot be read: a folder, a terminal that is gone
        answer = ""
    if not (sys.stdin.isatty() and answer.endswith("\n")):
        emit("\n")  # a terminal has shown the answer's own
    if not answer:
        emit("No answer: nothing was done; --force does not ask.\n", error=True)
    said = answer.strip().lower()
    if said not in YES | NO:
        emit("Neither yes nor no: nothing was done.\n", error=True)
    return said in YES
