"""What a terminal is shown and asked: tables, blocks, documents, a question, one line that turns.

Never shows a control character raw, never shortens what is said, and knows no API. `documents`,
the formats of `--output`, is read when one is asked for.
"""

from ce.text.called import as_plugin, hints, program
from ce.text.hidden import Cut, hidden_line
from ce.text.prompt import agreed, typed
from ce.text.render import emit, emit_document, instant, safe, short_date, span, table, words
from ce.text.spinner import spinner
from ce.text.streams import Unwritten, settle
from ce.text.unseen import bare, blank, broken, unseen

__all__ = [
    "Cut",
    "Unwritten",
    "agreed",
    "as_plugin",
    "bare",
    "blank",
    "broken",
    "emit",
    "emit_document",
    "hidden_line",
    "hints",
    "instant",
    "program",
    "safe",
    "settle",
    "short_date",
    "span",
    "spinner",
    "table",
    "typed",
    "unseen",
    "words",
]
