"""Errors that say where: which option, file, line and key; and no value in any of them."""

import pytest

from tests.support.cli import run

HIDDEN = "sesame"
PEM = f"-----BEGIN {{}}-----\n{HIDDEN}\n-----END {{}}-----\n"
KEY, CERTIFICATE = (PEM.format(what, what) for what in ("OPENSSH PRIVATE KEY", "CERTIFICATE"))
FILES = {
    "x.env": f"A=1\n# none\nmy key={HIDDEN}\n",
    "base64.env": f"A=1\r\nMIIE/{HIDDEN}+Bgk==\r\n",
    "one.env": "A=1\n",
    "my file.txt": HIDDEN,
    "key.json": f'{{"a b": "{HIDDEN}"}}',
    "list.json": f'{{"A": ["{HIDDEN}"]}}',
    "none.json": f'{{"apikey": "{HIDDEN}"}}',
    "id": KEY,
    "id.pub": f"ssh-ed25519 AAAA{HIDDEN} me@here\n",
    "public.pem": PEM.format("PUBLIC KEY", "PUBLIC KEY"),
    "crt": CERTIFICATE,
    "both": CERTIFICATE + KEY,
    "text": HIDDEN,
    "half.json": '{"A": "\\ud800"}',
    "zero.env": f"A=1\nB=2\0{HIDDEN}\n",
    "none.env": "# A=1\n\n",
    "twice.env": f"# A\nA={HIDDEN}\nB=1\nA=2\n",
    "twice.json": f'{{"A": "{HIDDEN}", "A": "b"}}',
    "user.json": f'{{"username": "a", "pasword": "{HIDDEN}"}}',
    "u.json": '{"username": "a"}',
    "a.json": f'{{"a": "{HIDDEN}"}}',
    "key.txt": f'{{"apiKey": "{HIDDEN}"}}',
    "server.json": '{"server": "icr.io\\u200b"}',
    "ends": f"{HIDDEN} \n",
    "marked": f"{HIDDEN}\u200b\n",
    "unseen": "\u202e\u2066\ufeff\u00a0\n",
    "unseen.json": '{"username": "a", "password": "\u200b"}',
}
BOTH = '--from-{} gives key "{}", and --{} removes it: give one of both.'
HALF = "\udcff"  # how a byte that is no UTF-8 is read from the command line
RULE = "keys hold letters, digits, - _ . (at most 253)"
CREATE, CONFIG = "secret create -n s", "cm create -n s"
APP = "app create -n a -i x/y --force"
SAID = {
    f"{CREATE} -e x.env": (2, f"line 3 of 'x.env': key \"my key\" - {RULE}."),
    f"{CONFIG} -e base64.env": (2, f"line 2 of 'base64.env': its key - {RULE}."),
    f"{CONFIG} -f my~file.txt": (2, f"{RULE}; give --from-file KEY='my file.txt'."),
    f"{CREATE} -f a/b=text": (2, f'--from-file: key "a/b" - {RULE}.'),
    f"{CREATE} -l a~b={HIDDEN}": (2, f'--from-literal: key "a b" - {RULE}.'),
    f"{CREATE} -l https://me:{HIDDEN}@host/?a=1": (2, f"--from-literal: its key - {RULE}."),
    f"{CREATE} -l ..={HIDDEN}": (2, '--from-literal: key ".." - no key is . or ...'),
    f"{CREATE} -l {'k' * 254}=": (2, f"--from-literal: its key - {RULE}."),
    f"{CREATE} --json key.json": (2, f"--from-json-file 'key.json': key \"a b\" - {RULE}."),
    f"{CREATE} --json list.json": (2, "--from-json-file 'list.json': field 'A' is not text."),
    f"{CREATE} --fo hmac --json none.json": (2, "'none.json': none of its fields is one of access"),
    f"{CREATE} --fo basic-auth": (2, "did you mean 'basic_auth'? Else choose generic, "),
    f"{APP} --visibility publc": (2, "--visibility has none of its words; did you mean 'public'?"),
    "project list -o jsn": (2, "did you mean 'json'?"),
    f"{APP} -e {HIDDEN}": (2, "--env is not of the form NAME=VALUE."),
    f"{APP} --mount-secret {HIDDEN}": (2, "--mount-secret is not of the form FOLDER=NAME."),
    f"{APP} -e A~B={HIDDEN}": (1, '\n--env "A B": its name must be letters, '),
    f"{APP} -e A/b+=={HIDDEN}": (1, "\n--env: its name must be letters, digits, "),
    f"{APP} -e A=1 --env-from-secret a:b~b=c": (1, '\n--env-from-secret "b b": its name must be'),
    f"{APP} -e A=1 --env-from-secret a:b=c~d": (1, '\n--env-from-secret "b": its key must be le'),
    f"{APP} --env-from-configmap UP": (1, "\n--env-from-configmap: what it refers to must be lo"),
    f"{APP} --mount-configmap /a=c --mount-secret b=s": (
        1,
        '\n--mount-secret "b": its folder must be an absolute path',
    ),
    f"{CREATE} -l A={HIDDEN} -l A=1": (2, '--from-literal: key "A" is given twice.'),
    f"{CREATE} -l A={HIDDEN} -l A=": (2, "--from-literal: its key is given twice."),
    f"{CREATE} -e twice.env": (
        2,
        "line 4 of 'twice.env': key \"A\" is given already, by line 2 of",
    ),
    f"{CONFIG} -e twice.env": (
        2,
        "line 4 of 'twice.env': key \"A\" is given already, by line 2 of",
    ),
    f"{CONFIG} -f A=text -l A={HIDDEN}": (2, 'key "A" is given already, by --from-file.'),
    f"{CREATE} --json twice.json": (2, "'twice.json' as JSON: key \"A\" is given twice."),
    f"{APP} -e A={HIDDEN} -e A=1": (2, '--env: variable "A" is given twice.'),
    f"{APP} -e A={HIDDEN} --env-from-secret s:A": (2, 'variable "A" is given already, by --env.'),
    f"{APP} --mount-secret /m=s --mount-configmap /m/=c": (2, "is given already, by --mount-conf"),
    f"{CREATE} --fo basic_auth --json user.json": (
        2,
        "field \"pasword\" - did you mean 'password'",
    ),
    f"{CREATE} --fo basic_auth --json a.json": (2, "none of its fields is one of username, passw"),
    f"{CREATE} --fo basic_auth --json u.json": (2, "has no field 'password', and --password is no"),
    f"{CREATE} --fo basic_auth --json u.json -u a": (
        2,
        "field 'username' is given by an option to",
    ),
    "secret update -n hub --json user.json": (2, "field \"pasword\" - did you mean 'password'?"),
    "registry update -n hub --pfj key.txt": (2, "'key.txt' has no text field 'apikey'; it has fie"),
    "registry update -n hub --pfj text": (2, "--password-from-json-file: 'text' is not JSON."),
    f"{CREATE} -l K={HALF}{HIDDEN}": (
        2,
        '--from-literal: key "K": its value is not text in UTF-8.',
    ),
    f"{CREATE} -l {HALF}={HIDDEN}": (2, "--from-literal: its value is not text in UTF-8."),
    f"{CREATE} --fo basic_auth -u a --pw {HALF}": (
        2,
        "--password: its value is not text in UTF-8.",
    ),
    f"{APP} -e A={HALF}{HIDDEN}": (2, '--env: key "A": its value is not text in UTF-8.'),
    f"secret get -n {HALF}": (2, "--name: its value is not text in UTF-8."),
    f"{CREATE} --fo basic_auth -u a --pw \u200b\u2060\u00ad": (2, "--password: its value is empty"),
    f"{CREATE} --fo basic_auth -u \u3164 --pw {HIDDEN}": (2, "--username: its value is empty"),
    f"{CREATE} --fo basic_auth --json unseen.json": (2, "field 'password' is empty"),
    "registry update -n hub --pf unseen": (2, "--password-from-file: the first line is empty"),
    "registry update -n hub --server icr.io\u200b": (
        2,
        "--server: its value holds a character that",
    ),
    "registry update -n hub --server \u200bicr.io": (
        2,
        "--server: its value holds a character that",
    ),
    "registry update -n hub --server icr.\u00a0io": (
        2,
        "--server: its value holds a character that",
    ),
    "repo create -n r --host h\u2060 --kp id": (
        2,
        "--host: its value holds a character that nobody",
    ),
    "secret update -n hub --json server.json": (
        2,
        "field 'server' holds a character that nobody",
    ),
    f"registry update -n hub -p {HIDDEN}\u200b": (0, "--password: its value holds a character"),
    f"registry update -n hub -p {HIDDEN}\u00a0{HIDDEN}": (0, "--password: its value holds a"),
    "registry update -n hub -u \u2066me": (
        0,
        "--username: its value holds a character that nobody",
    ),
    "registry update -n hub --email a\u200b@b": (0, "--email: its value holds a character that"),
    "registry update -n hub --pf ends": (0, "--password-from-file: the first line begins or ends"),
    "registry update -n hub --pf marked": (0, "-from-file: the first line holds a character that"),
    f"registry update -n hub -p {HIDDEN}~{HIDDEN}\n{HIDDEN}\u00e9\U0001f600": (0, ""),
    f"{CREATE}1 --fo hmac --akid a\x1b --sak {HIDDEN}": (
        0,
        "--access-key-id: its value holds a ch",
    ),
    f"{CREATE}2 --fo hmac --akid a --sak \u200b{HIDDEN}": (
        0,
        "--secret-access-key: its value holds",
    ),
    f"secret update -n e -l A={HIDDEN} --rm A": (2, BOTH.format("literal", "A", "rm")),
    f"cm update -n e -l A={HIDDEN} --rm B --rm A": (2, BOTH.format("literal", "A", "rm")),
    "secret update -n e -f text --rm text": (2, BOTH.format("file", "text", "rm")),
    "cm update -n e -e one.env --rm A": (
        2,
        "--from-env-file: line 1 of 'one.env' gives key \"A\", and --rm removes it",
    ),
    f"secret update -n hub -u {HIDDEN} --rm username": (
        2,
        '--username gives key "username", and --rm removes it: give one of both.',
    ),
    "secret update -n e --json a.json --rm a": (2, BOTH.format("json-file", "a", "rm")),
    f"job update -n j -e A={HIDDEN} --env-rm A": (
        2,
        '--env gives variable "A", and --env-rm removes it: give one of both.',
    ),
    "job update -n j --env-from-secret s:A=k --env-rm A": (
        2,
        '--env-from-secret gives variable "A", and --env-rm removes it: give one of both.',
    ),
    "job update -n j --env-from-secret s --env-from-secret-rm s": (
        2,
        '--env-from-secret gives all of "s", and --env-from-secret-rm removes it: give one of',
    ),
    "app update -n j --env-from-configmap P=c --env-from-configmap-rm c": (
        2,
        '--env-from-configmap gives all of "c", and --env-from-configmap-rm removes it: give one',
    ),
    "job update -n j --mount-secret /m=x --mount-rm /m/": (
        2,
        '--mount-secret gives folder "/m", and --mount-rm removes it: give one of both.',
    ),
    f"{CREATE}3 -l {HIDDEN}=": (
        0,
        "Warning: an empty value is stored for the key given to --from-literal number 1.",
    ),
    f"{CREATE}4 -l A=1 -l {HIDDEN}==": (
        0,
        "Warning: '=' alone is stored for the key given to --from-literal number 2.",
    ),
    "secret delete -n a -n b -f": (2, "--name is given twice, and not the same."),
    "project delete --id=a --id b -f": (2, "--id is given twice, and not the same."),
    "secret list --project a --project=b": (2, "--project is given twice, and not the same."),
    "registry get -n hub --name hub": (0, ""),
    "jobrun submit -j j -n ": (2, "--name: its value is empty."),
    "jobrun list -j ": (2, "--job: its value is empty."),
    "jobrun delete -j \u200b -f": (2, "--job: its value is empty."),
    "login --apikey - --url ": (2, "--url: its value is empty."),
    "project restore shop": (
        2,
        "1 too many words; a value with spaces needs quotes. A name is given",
    ),
    "apikey create k --role admin": (1, "\n--role must be one of `administrator`, "),
    f"{CONFIG} -e none.env": (2, "--from-env-file: 'none.env' holds no line KEY=VALUE."),
    f"{APP} --probe-live type=http --probe-live type=tcp": (
        2,
        "--probe-live: 'type' is given twice",
    ),
    "job create -n j -i a/b --array-indexes 1~-~3,~5": (0, ""),
    "registry update -n hub --server ~icr.io~": (0, ""),
    f"{CREATE} --json half.json": (2, "'half.json': field 'A' is not text in UTF-8."),
    f"{CREATE} -e zero.env": (2, "line 2 of 'zero.env' is no text: it has a zero byte."),
    f"{CREATE} -f A=- -f B=-": (2, "standard input (-): --from-file and --from-file would."),
    "registry update -n hub": (2, "Nothing to update: give an option."),
    "repo create -n r1 --host h --kp id.pub": (0, "--key-path: the file holds a public key"),
    "repo create -n r2 --host h --kp public.pem": (0, "--key-path: the file holds a public key"),
    "repo create -n r3 --host h --kp crt": (0, "--key-path: the file holds a certificate and no"),
    "repo create -n r4 --host h --kp id --khp id": (0, "--known-hosts-path: the file holds a priv"),
    "secret create -n t1 --fo tls --ccf both --pkf id": (0, "holds a private key beside the cert"),
    "secret create -n t2 --fo tls --ccf id --pkf id": (0, "--cert-chain-file: the file holds no c"),
    "secret create -n t3 --fo tls --ccf crt --pkf text": (
        0,
        "--private-key-file: the file holds no",
    ),
    "secret create -n t4 --fo tls --ccf crt --pkf id": (0, ""),
}


@pytest.fixture
def typed(mine, tmp_path, monkeypatch):
    """Type a line in a folder with FILES, where `~` is a blank within a word."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    mine("registry", "create", "-n", "hub", "-p", "p")
    return lambda line: run(*(word.replace("~", " ") for word in line.split(" ")))


def test_where_it_lies(typed, subtests):
    """A mistake names its place and no value; a file that is odd is stored, with a warning."""
    for line, (code, said) in SAID.items():
        with subtests.test(ascii(line[:60])):
            done = typed(line)
            assert (done.returncode, said in done.stderr) == (code, True), done.stderr
            assert ("Warning" in done.stderr) == (code == 0 and bool(said))
            assert HIDDEN not in done.stdout + done.stderr


def test_a_name_that_a_deleted_project_holds(ce):
    """The commands that take it back, or free the name, can be pasted."""
    ce("project", "create", "-n", "my shop", "--no-select")
    assert "Choose another name" in ce("project", "create", "-n", "my shop", code=1)
    ce("project", "delete", "-n", "my shop", "-f")
    said = ce("project", "create", "-n", "my shop", code=1)
    assert said.startswith("FAILED\nA project that is soft deleted holds this name.\n")
    assert "   ce project restore --name 'my shop'\n" in said
    assert "   ce reclamation delete --name 'my shop'\n" in said
    ce("project", "restore", "--name", "my shop")


@pytest.mark.parametrize(
    "words",
    [
        ("repo", "create", "-n", "r", "--host", "h", "--key-path"),
        ("secret", "create", "-n", "s", "--from-env-file"),
        ("secret", "create", "-n", "s", "--format", "basic_auth", "--from-json-file"),
        ("registry", "create", "-n", "d", "-s", "h", "-u", "u", "--password-from-file"),
    ],
    ids=lambda words: words[-1],
)
@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN KEY-----\nsesame\n",
        "sesame",
        '{"password": "sesame"}',
        "ce_0a_sesame",
        "s" * 5000,
    ],
    ids=["key", "password", "document", "apikey", "long"],
)
def test_a_value_in_a_file_s_place_is_not_shown(words, value):
    """Where a file is asked for, whoever gives what is in it reads no part of it again."""
    done = run(*words, value)
    assert done.returncode == 2
    assert f"{words[-1]}: cannot read the file that it names" in done.stderr
    assert value not in done.stdout + done.stderr
    assert "sesame" not in done.stdout + done.stderr


def test_two_passwords_are_one_too_many(typed):
    """Of two options for one key none is dropped in silence: both are named."""
    for words in (
        f"--password-from-file my~file.txt --password {HIDDEN}",
        f"-p {HIDDEN} --password-from-file my~file.txt",
    ):
        done = typed(f"registry update -n hub {words}")
        assert done.returncode == 2
        assert "Give only one of --password and --password-from-file." in done.stderr
        assert HIDDEN not in done.stdout + done.stderr


def test_what_is_referred_to_in_a_deleted_project(mine):
    """The look-up says what the command itself would have been told."""
    mine("project", "delete", "-n", "myproject", "-f")
    done = run("job", "create", "-n", "j", "-i", "a/b", "--env-from-secret", "s")
    assert done.returncode == 1
    assert "soft deleted, 'ce project restore' takes it back" in done.stderr


def test_a_password_of_a_file_is_one_line_of_text(typed, tmp_path):
    """A line may end as on any system; a second one, or a zero byte, is told and not stored."""
    for content, said in (
        (f"{HIDDEN}\rmore", "holds more than a line"),
        (f"{HIDDEN}\0", "it has a zero byte"),
        (f"{HIDDEN}\r", ""),
    ):
        (tmp_path / "pw").write_bytes(content.encode())
        done = typed("registry update -n hub --password-from-file pw")
        assert (done.returncode, said in done.stderr) == (2 if said else 0, True), done
        assert HIDDEN not in done.stdout + done.stderr


def test_what_a_file_names_goes_before_a_default(mine):
    """The server of a document is the one that is stored, not the documented default."""
    made = '{"username": "a", "password": "b", "server": "registry.example"}'
    words = ("secret", "create", "-n", "r", "--format", "registry", "--json", "-")
    mine(*words, text=made)
    shown = mine("secret", "get", "-n", "r", "-d", "-o", "jsonpath={.data.server}")
    assert shown == "registry.example"
