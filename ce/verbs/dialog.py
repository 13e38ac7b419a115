"""What a command says and asks as it goes, from its row's transcript.

What stands before the transcript's `|`, or else before its `OK`, is printed before the work, the
rest after. With a document asked for, the document is all that reaches standard output.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ce.call import Call
from ce.server import Declined, Doc, Failure, place, until
from ce.text import agreed, emit, emit_document, hints, instant, safe

LEFT = "Interrupted: the request may have been carried out all the same."
BEGUN = "Interrupted: what was done by then stays, and what was begun goes on."
MADE = "The change was made all the same: look before you run the command again.\n"


def tell(call: Call, text: str) -> None:
    """Print progress, unless there is to be none."""
    if not call["output"] and not call["quiet"]:
        emit(text)


def say(call: Call, **names: str) -> None:
    """Print the progress line, once."""
    if not call.said:
        tell(call, _filled(call, _transcript(call)[0], names))
    call.said = True


def say_where(call: Call) -> None:
    """Say in which project something is written: nobody sees what is selected elsewhere."""
    project = call.client.project
    source = "" if project["from"] == place.SELECTION else f" ({project['from']})"
    emit(f"Acting in project '{safe(project['name'])}'{source}.\n", error=True)


def confirm(call: Call, asks: str = "", **names: str) -> None:
    """Ask before what cannot be taken back. Raises Declined if the answer is no."""
    question = asks or call.verb.asks
    if call["force"] or not question or not call.verb.asked(call):
        return
    if not agreed(_filled(call, question, names)):
        raise Declined


def waits(call: Call) -> bool:
    """Whether to wait: unless told not to, or, where `[N]` stands for `[W]`, if told to."""
    default = "W" in call.verb.takes.partition("]")[0].strip("[").split()
    return not call["no_wait"] and bool(call["wait"] or default)


def wait(call: Call, doing: str, status: Callable[[], str], goal: frozenset[str]) -> None:
    """Wait until the goal is reached, unless there is to be no waiting."""
    if waits(call):
        more = f"ce {call.noun.typed} get"
        limit, quiet = call["wait_timeout"], bool(call["quiet"])
        until(goal, status, doing, more, seconds=limit, quiet=quiet)


def ordered(call: Call, found: Iterable[Doc], since: str = "created_at") -> list[Doc]:
    """Sort by name, or the youngest first."""
    if call["sort_by"] == "age":
        return sorted(found, key=lambda doc: instant(doc[since]), reverse=True)
    return sorted(found, key=lambda doc: str(doc.get("name") or doc["id"]))


def finish(call: Call, document: Any) -> None:
    """Print the document asked for, or OK and what the verb shows."""
    if call["output"]:
        emit_document(call["output"](document))
        return
    names = document if isinstance(document, dict) else {}
    if (after := _filled(call, _transcript(call)[1], names)) and not call["quiet"]:
        emit(f"{after}\n")
    if call.verb.shows:
        emit(f"{call.verb.shows(call, document)}\n")


def interrupted(call: Call) -> bool:
    """Tell of a change that Ctrl-C left under way, or that was made before it, if there is one."""
    client = vars(call).get("client")  # looked for, and not made
    if client is None or not (client.changing or client.changed):
        return False
    said = LEFT if client.changing else BEGUN
    text = (
        f"{said} 'ce {call.noun.typed or 'project'} list' shows it; look before you run it again."
    )
    more = f" {call.verb.left}" if call.verb.left else ""
    line = "\n" * sys.stderr.isatty()  # a terminal has shown what was pressed
    emit(f"{line}{hints(text + more)}\n", error=True)
    return True


def lost(call: Call, document: Any) -> None:
    """Tell what was done although nobody can read it; take back what nobody can use unread."""
    client = vars(call).get("client")  # looked for, and not made
    if client and client.changed:
        undo = call.verb.undo if document else None
        emit(hints(undo(call, document)) if undo else MADE, error=True)


def fail(call: Call, failure: Failure) -> None:
    """Print FAILED and each message on its line, after the progress line."""
    failure.told = True
    say(call, name=call["name"] or call["id"] or "")
    emit("FAILED\n", error=True)
    messages = [*failure.messages]
    client = vars(call).get("client")  # looked for, and not made: a failure must not fail
    project = vars(client).get("project") if client else None
    if failure.status == 404 and project:
        # What is missing may be the project itself, destroyed since it was selected.
        messages.append(
            f"The selected project is '{project['name']}'; if that is gone, "
            "'ce project select --name NAME' selects another."
            if project["from"] == place.SELECTION
            else f"It was looked for in project '{project['name']}', which {project['from']} names."
        )
    remedy = client.target.remedy if client else ""
    for message in filter(None, (*messages, _advice(call, failure, remedy))):
        emit(f"{' '.join(hints(_as_typed(call, message)).split())}\n", error=True)
    if failure.detail:
        emit(f"{failure.detail}\n", error=True)


def _transcript(call: Call) -> tuple[str, str]:
    """Give what is printed before the work, and what after."""
    other = (says for option, says in call.verb.instead.items() if option in call.given)
    says = next(other, call.verb.says)
    before, bar, after = says.partition("|")
    if bar:
        return before, after
    before, ok, after = says.partition("OK")
    return before, ok + after


def _filled(call: Call, text: str, names: Mapping[str, Any]) -> str:
    words = {**call.options, **names}
    known = {key: safe(word) for key, word in words.items() if isinstance(word, str)}
    # What has no name yet is told without one.
    return hints(text).format_map(defaultdict(str, known)).replace(" ''", "")


def _as_typed(call: Call, message: str) -> str:
    """Call what the server has a name for by the option that gave it."""
    for option in call.given:  # one of several is `options.N`
        flag = f"--{option.replace('_', '-')}"
        message = re.sub(rf"`{option}(s\.\d+)?`", flag, message)
    return message


def _advice(call: Call, failure: Failure, remedy: str) -> str:
    if not failure.code:
        return ""
    from ce.server import advice  # noqa: PLC0415 - only what fails needs it

    group = call.noun.typed
    command = f"ce {group} {call.name}".replace("  ", " ")
    return advice.after(failure, command=command, noun=group or "project", remedy=remedy)
