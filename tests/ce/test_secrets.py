"""`ce secret` and `ce registry` against the running host: what goes in, what is ever shown."""

import base64
import json

import pytest

from tests.support.cli import matches

PASSWORD = "dckr_pat_pa55-w0rd"


def encoded(text):
    """Write base64 as `secret get` shows it."""
    return base64.b64encode(text.encode()).decode()


FORMATS = {  # format: (word on the command line, options, what is shown)
    "generic": ("generic", ("-l", "A=1", "-l", "B=x=y"), {"A": "1", "B": "x=y"}),
    "basic_auth": ("basic_auth", ("-u", "me", "--pw", PASSWORD), {"username": "me"}),
    "ssh_auth": ("ssh", ("--kp", "@", "--khp", "@"), {"known_hosts": PASSWORD + "\n"}),
    "tls": ("tls", ("--ccf", "@", "--pkf", "@"), {}),
    "registry": (
        "registry",
        ("-u", "me", "--spf", "@", "--em", "a@b"),
        {"username": "me", "email": "a@b", "server": "us.icr.io"},
    ),
    "hmac_auth": ("hmac", ("--akid", "me", "--sak", PASSWORD), {"access_key_id": "me"}),
}
HIDDEN = {
    "generic": (),
    "basic_auth": ("password",),
    "ssh_auth": ("ssh-privatekey",),
    "tls": ("tls.crt", "tls.key"),
    "registry": ("password",),
    "hmac_auth": ("secret_access_key",),
}


@pytest.mark.parametrize("form", FORMATS)
def test_secret_formats(mine, tmp_path, form):
    """Each format is created from its options and shown in base64, with what is secret REDACTED."""
    (tmp_path / "file").write_text(PASSWORD + "\n")
    word, options, shown = FORMATS[form]
    args = [str(tmp_path / "file") if word == "@" else word for word in options]
    said = mine("secret", "create", "-n", "s", "--format", word, *args)
    assert said == f"Creating {form} secret 's'...\nOK\n"
    lines = dict.fromkeys(HIDDEN[form], "REDACTED") | {k: encoded(v) for k, v in shown.items()}
    matches(
        f"Getting secret 's'...\nOK\n\nName:  s\nID:  {{ID}}\nFormat:  {form}\n"
        "Project Name:  myproject\nProject ID:  {ID}\nAge:  {AGE}\nCreated:  {STAMP}\n\n"
        "Data:\n---\n" + "".join(f"{key}: {lines[key]}\n" for key in sorted(lines)),
        mine("secret", "get", "-n", "s"),
    )
    for decode in ("-d", "-q"):
        text = mine("secret", "get", "-n", "s", decode, "-o", "json")
        assert (PASSWORD in text) == (form == "ssh_auth" and decode == "-d")  # its known_hosts
    matches(
        "Listing secrets...\nOK\n\nName  Format  Data  Age\n"
        f"s     {form}  {len(lines)}     {{AGE}}\n",
        mine("secret", "list"),
    )


def test_secret_inputs(mine, tmp_path):
    """Literals, files, standard input and env files give the values they hold, whole."""
    (tmp_path / "k.txt").write_bytes("über\r\nmehr\n".encode())
    (tmp_path / "env").write_text("# comment\n\nE=1\nF=a=b\n")
    inputs = ("-f", str(tmp_path / "k.txt"), "-f", "IN=-", "-e", str(tmp_path / "env"), "-l", "L=")
    mine("secret", "create", "-n", "s", *inputs, text="two\nlines")
    document = json.loads(mine("secret", "get", "-n", "s", "--decode", "-o", "json"))
    assert document["data"] == {
        "k.txt": "über\r\nmehr\n",
        "IN": "two\nlines",
        "E": "1",
        "F": "a=b",
        "L": "",
    }


JSON = {  # options: (file, the value of the key looked at afterwards)
    ("--fo", "hmac"): ({"cos_hmac_keys": {"access_key_id": "i", "secret_access_key": "s"}}, "i"),
    ("--fo", "basic_auth"): ({"username": "me", "password": "s", "more": "x"}, "me"),
    ("--fo", "generic"): ({"name": "me", "other": ""}, "me"),
}
LOOK = {"hmac": "access_key_id", "basic_auth": "username", "generic": "name"}


@pytest.mark.parametrize("options", JSON, ids=LOOK)
def test_secret_from_json(mine, options):
    """A JSON file gives the keys of the format, also those of a service key one level down."""
    content, value = JSON[options]
    mine("secret", "create", "-n", "s", *options, "--json", "-", text=json.dumps(content))
    shown = json.loads(mine("secret", "get", "-n", "s", "-d", "-o", "json"))["data"]
    assert shown[LOOK[options[1]]] == value
    assert not {"more", "cos_hmac_keys"} & set(shown)


def test_password_from_json(mine):
    """The password of a service ID's key file is its field `apikey`."""
    mine("registry", "create", "-n", "hub", "--pfj", "-", text='{"apikey": "k", "name": "n"}')
    config = mine(
        "registry", "get", "-n", "hub", "-d", "-o", "jsonpath={.data['.dockerconfigjson']}"
    )
    assert json.loads(config)["auths"]["us.icr.io"]["password"] == "k"
    assert json.loads(config)["auths"]["us.icr.io"]["username"] == "iamapikey"


def test_secret_update_merges(mine):
    """An update changes what is given, removes what is named, and leaves the rest."""
    mine("secret", "create", "-n", "s", "-l", "A=1", "-l", "B=2", "-l", "C=3")
    said = mine("secret", "update", "-n", "s", "-l", "B=9", "--rm", "C")
    assert said == "Updating secret s..\nOK\n"
    document = json.loads(mine("secret", "get", "-n", "s", "-d", "-o", "json"))
    assert document["data"] == {"A": "1", "B": "9"}
    changed = mine("secret", "update", "-n", "s", "-l", "A=0", "-o", "jsonpath={.data}")
    assert changed == '{"A":"REDACTED","B":"REDACTED"}'
    assert "no key 'D'" in mine("secret", "update", "-n", "s", "--rm", "D", code=1)
    assert "Nothing to update" in mine("secret", "update", "-n", "s", code=2)
    assert "does not apply" in mine("secret", "update", "-n", "s", "-u", "me", code=2)


def test_secret_delete(mine):
    """A delete asks, a missing secret fails, and --ignore-not-found lets it pass."""
    mine("secret", "create", "-n", "s", "-l", "A=1")
    mine("secret", "delete", "-n", "s", text="no\n", code=1)
    said = mine("secret", "delete", "-n", "s", text="y\n")
    prompt = "Are you sure you want to delete secret s? [y/N]> "
    assert said == prompt + "\nDeleting secret s...\nOK\n"
    said = mine("secret", "delete", "-n", "s", "-f", code=1)
    told = "Acting in project 'myproject'.\nFAILED\nResource not found.\nThe selected project is "
    assert said.startswith(f"{told}'myproject'; ")
    assert mine("secret", "delete", "-n", "s", "-f", "--inf") == "Deleting secret s...\nOK\n"


def test_registry(mine):
    """A registry secret goes in by standard input and comes out as Docker's configuration."""
    options = ("--server", "docker.io", "--username", "me", "--password-from-file", "-")
    said = mine("registry", "create", "--name", "hub", *options, text=f"{PASSWORD}\n")
    assert said == "Creating image registry access secret hub...\n\nOK\n"
    auth = encoded(f"me:{PASSWORD}")
    login = f'{{"username":"me","password":"{PASSWORD}","auth":"{auth}"}}'
    config = f'{{"auths":{{"docker.io":{login}}}}}'
    matches(
        "Getting image registry access secret hub...\nOK\n\nName:  hub\nProject:  myproject\n"
        f"Project ID:  {{ID}}\nCreated:  {{STAMP}}\nData:\n---\n"
        f".dockerconfigjson: {encoded(config)}\n",
        mine("registry", "get", "-n", "hub"),
    )
    said = mine("registry", "update", "-n", "hub", "--email", "a@b.c")
    assert said == (
        "Getting image registry access secret 'hub'...\n"
        "Updating image registry access secret 'hub'...\n\nOK\n"
    )
    new = mine("registry", "get", "-n", "hub", "-d", "-o", "jsonpath={.data.\\.dockerconfigjson}")
    assert json.loads(new)["auths"]["docker.io"]["email"] == "a@b.c"
    matches(
        "Listing image registry access secrets...\n\nOK\n\nName  Age\nhub   {AGE}\n",
        mine("registry", "list"),
    )


def test_registry_commands_touch_registry_secrets_only(mine):
    """A secret of another format is not found by the registry commands, least of all deleted."""
    mine("secret", "create", "-n", "s", "-l", "A=1")
    for verb in (("get",), ("delete", "-f"), ("update", "-e", "x")):
        assert "its format is generic" in mine("registry", *verb, "-n", "s", code=1)
    mine("secret", "get", "-n", "s")
    assert "s" not in mine("registry", "list", "-q").split()
