"""For each rule of `commands.tsv` the code that holds it: without it rows of the rule fail."""

from collections.abc import Mapping
from typing import NamedTuple


class Cut(NamedTuple):
    """What of a file to replace, so that a rule no longer holds."""

    file: str
    text: str
    instead: str


GRAMMAR, INPUTS, SECRETS = "ce/help/grammar.py", "ce/body/inputs.py", "ce/body/secrets.py"
OPTIONS = "ce/help/options.py"
RENDER, STREAMS, CLIENT = "ce/text/render.py", "ce/text/streams.py", "ce/server/client.py"
ADDRESSES, CHECKS = "ce/server/addresses.py", "ce/body/checks.py"
PLACE, ENDING = "ce/server/place.py", "ce/verbs/ending.py"
UNSEEN, STANDING = "ce/text/unseen.py", "ce/verbs/standing.py"
PROJECTS, QUOTA = "ce/verbs/projects.py", "ce/verbs/quota.py"
CONSOLE = "ce/verbs/console.py"
RULES: Mapping[str, tuple[Cut, ...]] = {
    "no empty credential": (Cut(SECRETS, "if blank(value)", "if False"),),
    "empty if meant": (Cut(SECRETS, 'bool(call["allow_empty"])', "False"),),
    "one line": (Cut(INPUTS, "if more.strip()", "if False"),),
    "one dash": (Cut(GRAMMAR, "if name in known", 'if word[:2] == "--" and name in known'),),
    "two dashes": (
        Cut(GRAMMAR, "if name in known", "if name in known and (len(name) > 1 or word[1] != '-')"),
    ),
    "switches together": (Cut(GRAMMAR, "if len(switches) == len(letters)", "if not letters"),),
    "no value attached": (Cut(GRAMMAR, "if not meant", "if False"),),
    "no secret shown": (Cut(GRAMMAR, "if _safe(known, word)", "if True"),),
    "values untouched": (
        Cut(GRAMMAR, 'word == "--" or', ""),
        Cut(GRAMMAR, "islice(left, 1)", "islice(left, 0)"),
    ),
    "switch told": (Cut(GRAMMAR, 'value if equals else "true"', '"true"'),),
    "switch told well": (Cut(GRAMMAR, "TOLD.get(value.lower())", "TOLD.get(value.lower(), True)"),),
    "switch off": (
        Cut(OPTIONS, "value is not False or name in TWO_WAY", "True"),
        Cut(OPTIONS, " or name in TWO_WAY", ""),
    ),
    "last of a pair": (Cut(GRAMMAR, "if isinstance(inverse, Switch)", "if False"),),
    "no mark": (Cut(INPUTS, 'text.removeprefix("\\ufeff")', "text"),),
    "mark kept": (
        Cut(INPUTS, "self.exact(file, option)", "self.text(file, option)"),
        Cut("ce/body/workloads.py", "Inputs().exact(", "Inputs().text("),
    ),
    "one reader": (
        Cut(INPUTS, 'self.exact(path.removeprefix("@"), option)', "self.exact(path, option)"),
        Cut(INPUTS, 'if not text.startswith("{")', "if True"),
    ),
    "exact documents": (Cut(RENDER, "_write(text, sys", '_write(f"{text}\\n", sys'),),
    "documents in UTF-8": (Cut(RENDER, 'encoding="utf-8", ', ""),),
    "any key in jsonpath": (Cut("ce/text/jsonpath.py", "KEY.sub(_quote_key, rest)", "rest"),),
    "lost output": (Cut(STREAMS, "raise Unwritten(error)", "raise ValueError"),),
    "reader gone": (Cut(STREAMS, "error.errno == errno.EPIPE", "False"),),
    "change told": (Cut(CLIENT, "self.changed |= method not in READS", ""),),
    "key deleted again": (Cut("ce/nouns/apikeys.py", "undo=apikeys.unmake", ""),),
    "no answer": (Cut(STREAMS, "if sys.stdin is None", "if False"),),
    "no home": (Cut("ce/server/files.py", "except RuntimeError", "except KeyError"),),
    "our keys alone": (Cut(ADDRESSES, "if not KEY.fullmatch(text)", "if False"),),
    "trimmed": (Cut(ADDRESSES, "text = bare(text)", ""),),
    "quotes named": (Cut(ADDRESSES, "text[0] in QUOTES or text[-1] in QUOTES", "False"),),
    "version added": (Cut(ADDRESSES, 'else f"{url}/v2"', "else url"),),
    "no TLS there": (Cut("ce/server/advice.py", "return PLAIN", "pass"),),
    "authorities named": (Cut(CLIENT, "advice.authorities()", '""'),),
    "key named": (Cut(CHECKS, "if folder or not KEY.fullmatch(key)", "if False"),),
    "no value as a key": (Cut(CHECKS, "named = NAMED.fullmatch(key)", "named = True or key"),),
    "what was meant": (Cut(CHECKS, "get_close_matches(given.lower(), choices, 1)", "[]"),),
    "odd file": (Cut(CHECKS, "if said and text.strip()", "if False"),),
    "list option": (Cut("ce/verbs/resources.py", "if index and", "if False and"),),
    "name held": (Cut("ce/verbs/projects.py", '"name_taken"', '"none"'),),
    "project named": (
        Cut("ce/cli.py", "if noun.acts(verb) else", "if False else"),
        Cut("ce/verbs/dialog.py", 'emit(f"Acting in', 'str(f"Acting in'),
        Cut(PLACE, "os.environ.get(VARIABLE)) is not None", "None) is not None"),
        Cut(PLACE, "(here, *here.parents)", "(here,)"),
    ),
    "project order": (
        Cut(
            PLACE, "if option is not None", "if not os.environ.get(VARIABLE) and option is not None"
        ),
        Cut(PLACE, "if blank(option)", "if False"),
        Cut(PLACE, "(here, *here.parents)", "(*reversed(here.parents), here)"),
        Cut(PLACE, "if not projects:", "if False:"),
    ),
    "project told": (
        Cut(PLACE, "said is None or said.word ==", "True or said.word =="),
        Cut(PROJECTS, 'ending.note(f"It comes', 'str(f"It comes'),
        Cut("ce/nouns/session.py", '"Project From": text("project.from"),', ""),
    ),
    "broken file": (
        Cut(PLACE, "if others", "if False"),
        Cut(PLACE, "(ValueError, RecursionError)", "KeyError"),
        Cut(PLACE, "if not file.is_file()", "if False"),
    ),
    "name typed": (
        Cut(ENDING, "if not sys.stdin.isatty()", "if False"),
        Cut(ENDING, "    for line in loss:\n        note(line)\n", ""),
        Cut(PROJECTS, "    ending.destroyed(call, project, held)\n", ""),
    ),
    "way back told": (
        Cut(ENDING, 'if call["force"] and not sys.stderr.isatty()', "if False"),
        Cut(PROJECTS, "    ending.deleted(call, project)\n", ""),
    ),
    "offers": (
        Cut(QUOTA, 'ce project delete {which}"', 'ce project delete {which} --hard"'),
        Cut(QUOTA, '"To Keep It": text("restore"),', ""),
    ),
    "end told": (Cut("ce/verbs/dialog.py", "messages = [*failure.messages]", "messages = []"),),
    "standing told": (
        Cut("ce/nouns/session.py", '"Project Status": standing.in_words,', ""),
        Cut("ce/verbs/standing.py", "if failure.status == 404", "if False"),
    ),
    "no display": (Cut(CONSOLE, "any(os.environ.get(name) for name in DISPLAYS)", "True"),),
    "address printed": (
        Cut(CONSOLE, '        emit(f"{address}\\n")\n', ""),
        Cut(CONSOLE, 'None if call["print"] else', ""),
    ),
    "page removed": (
        Cut(CONSOLE, "files.remove(page)", "pass"),
        Cut(CONSOLE, "ours and not 0 <=", "ours and 0 >"),
    ),
    "files named": (
        Cut("ce/verbs/certificates.py", "        _readable(option, file)\n", "        pass\n"),
        Cut(
            "ce/verbs/certificates.py", "            _readable(option, key)\n", "            pass\n"
        ),
    ),
    "name and salt": (
        Cut("ce/verbs/certificates.py", "if (name is None) != (salt is None)", "if False"),
    ),
    "times read": (Cut("ce/help/options.py", '    "since": moment,\n', ""),),
    "trail of a project": (Cut("ce/verbs/trail.py", "if wanted is None or", "if True or"),),
    "own key": (Cut("ce/verbs/apikeys.py", '== [key["id"]]', '== [""]'),),
    "given once": (Cut(CHECKS, "if key in found", "if False"),),
    "given or removed": (Cut(CHECKS, "if key in gone", "if False"),),
    "server all seen": (Cut(CHECKS, "if key in ADDRESSES and unseen(text)", "if False"),),
    "unseen told": (Cut(CHECKS, "if unseen(text) else", "if False else"),),
    "value without key": (Cut(CHECKS, 'if value in {"", "="}', "if False"),),
    "reference named": (
        Cut("ce/verbs/references.py", 'message.replace("`name`", option)', "message"),
    ),
    "text alone": (
        Cut(CHECKS, "option in FILES or not isinstance(text, str) or not broken(text)", "True"),
        Cut(CHECKS, "option in FILES or ", ""),
    ),
    "field misspelt": (Cut(SECRETS, "if keys and (near :=", "if False and (near :="),),
    "field missing": (Cut(SECRETS, "if values.document:", "if False:"),),
    "file before default": (Cut(SECRETS, " and key not in document}", "}"),),
    "nothing unseen": (
        Cut(UNSEEN, "char in FILLERS or unicodedata.category(char) in UNSEEN", "char in FILLERS"),
        Cut(UNSEEN, "char in FILLERS or unicodedata", "unicodedata"),
    ),
    "marks off": (Cut(UNSEEN, "while text.startswith(MARK)", "while False"),),
    "variable empty": (
        Cut(PLACE, "if blank(variable)", "if False"),
        Cut(STANDING, "if failure.messages != (place.EMPTY,)", "if True"),
    ),
    "standing by name": (
        Cut(STANDING, 'if not project or "status"', 'if "id" not in project or "status"'),
    ),
    "verb alone": (Cut("ce/cli.py", "alone=ALONE, ", ""),),
    "home is a folder": (Cut("ce/server/files.py", "if why:", "if False:"),),
    "scheme named": (Cut(ADDRESSES, 'if "://" not in url', "if False"),),
    "option's part named": (Cut("ce/body/variables.py", "{option}{shown.rstrip()}", "{option}"),),
    "picked once": (Cut(GRAMMAR, "if told and option.name in PICKS", "if False"),),
    "name empty": (Cut(CHECKS, "if option in NAMES and", "if False and"),),
    "indices without blanks": (
        Cut(
            "ce/body/workloads.py",
            '"".join(str(call["array_indexes"]).split())',
            'call["array_indexes"]',
        ),
    ),
    "server without blanks": (Cut(SECRETS, 'bare(text) if key == "server" else text', "text"),),
    "file without lines": (Cut(INPUTS, "if not lines:", "if False:"),),
    "emulator's options": (
        Cut(
            "emulator/arguments.py",
            "parse_args(spelled(made, commands, words))",
            "parse_args(words)",
        ),
    ),
}
