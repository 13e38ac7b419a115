"""What `login`, `logout`, `target` and `profile` do: the only commands that write a login.

A key comes from a file, from standard input or from a prompt, is tried before anything is
written, and is never shown. The local emulator's login is not theirs to touch.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import click

from ce.body import STDIN, Inputs, hidden
from ce.call import Call
from ce.server import (
    PLACE,
    REGION,
    Client,
    Doc,
    Failure,
    Profile,
    addresses,
    place,
    profiles,
    target,
)
from ce.text import emit
from ce.verbs import standing
from ce.verbs.dialog import confirm, say

NOTHING_TO_LEAVE = (
    "No profile is in use: there is nothing to log out of. The local emulator's login is its own."
)
EXPOSED = (
    "--apikey takes @FILE or - (standard input), never the key itself: other users can see it in "
    "the process list, and the shell keeps it. Leave --apikey out to be asked. If that was a key, "
    "make another and delete it: 'ce apikey create', 'ce apikey delete'."
)


def login(call: Call) -> Doc:
    """Try a key; store it in a profile, and use that from now on."""
    name, old = _profile(call)
    wanted = _wanted(call, old)
    if old is not None and wanted.url != old.url and not call["profile"]:
        raise click.UsageError(
            f"Profile '{name}' is of another address: give --profile with a new name, or with "
            f"'{name}' to replace it."
        )
    apikey = _apikey(call)
    profile = replace(wanted, apikey=apikey)
    say(call, url=profile.placed(profile.url))
    profile = _verified(call, name, profile, target.ASKED)
    profiles.save(name, profile)
    if old is not None and old.apikey not in {"", apikey}:
        _forget_selection(name, old)
    profiles.activate(name)
    found = target.of_profile(name, profile)
    try:
        project = place.known(found)
    except Failure as failure:  # a broken .ce.toml: whoever logs in acts in no project yet
        emit(f"Note: {failure.messages[0]}\n", error=True)
        project = None
    return _described(found, project)


def logout(call: Call) -> Doc:
    """Take the key and the selection of a profile away; the rest of it stays for the next login."""
    name = call["profile"] or _used()
    if name is None:
        profiles.activate(None)
        return {"remark": NOTHING_TO_LEAVE}
    say(call, name=name)
    try:
        profile = profiles.load(name)
    except Failure:
        if not profiles.exists(name) and call["profile"]:
            raise
        profiles.forget(name)  # it cannot be read: nothing of it may stay
    else:
        profiles.save(name, replace(profile, apikey=""))  # first: whatever fails next, it is gone
        _forget_selection(name, profile)
    _leave(name)
    return {"remark": _from_now_on()}


def aim(call: Call) -> Doc:
    """Show what commands act on; with an option, change it first."""
    say(call)
    found = target.current()
    project = standing.known(found)
    if not call.given & {"region", "group"}:
        return standing.told(found, _described(found, project))
    if found.source != target.PROFILE:
        raise Failure(
            f"The target comes from {found.origin}, which keeps no settings: 'ce login --url "
            f"{found.url.removesuffix('/v2')} --profile NAME' makes a profile, which does."
        )
    old = profiles.load(found.profile)
    profile = _wanted(call, old)
    if call["region"]:
        profile = _verified(call, found.profile, profile, target.PROFILE)
    profiles.save(found.profile, profile)
    found = target.of_profile(found.profile, profile)
    return standing.told(found, _described(found, standing.known(found)))


def listing(call: Call) -> Doc:
    """List the profiles, without what is in them that nobody may see."""
    say(call)
    used = _used()
    return {"profiles": [_listed(name, name == used) for name in profiles.names()]}


def use(call: Call) -> None:
    """Use a profile from now on."""
    name = _named(call)
    say(call, name=name)
    profiles.load(name)
    profiles.activate(name)
    emit(target.overridden(), error=True)


def delete(call: Call) -> None:
    """Remove a profile, its key and its selection."""
    name = _named(call)
    confirm(call, name=name)
    say(call, name=name)
    if not profiles.exists(name):
        raise Failure(f"There is no profile '{name}'; 'ce profile list' shows them.", status=404)
    with suppress(Failure):  # a damaged one selects nothing
        target.select(target.of_profile(name, profiles.load(name)), None)
    profiles.forget(name)
    _leave(name)


def _forget_selection(name: str, profile: Profile) -> None:
    with suppress(Failure):  # an address that was edited since may be none any more
        target.select(target.of_profile(name, profile), None)


def _leave(name: str) -> None:
    if _used() == name:
        profiles.activate(None)


def _used() -> str | None:
    """Give the name of the profile in use; what is no name uses none."""
    with suppress(Failure):
        return profiles.active()
    return None


def _from_now_on() -> str:
    try:
        found = target.current()
    except Failure:
        return "No command has a server to ask now: 'ce login' logs in again."
    return f"Commands go to {found.origin} now, at {found.url}."


def _named(call: Call) -> str:
    if call["name"] is None:
        raise click.UsageError("Give NAME; 'ce profile list' shows them.")
    return str(call["name"])


def _profile(call: Call) -> tuple[str, Profile | None]:
    """Give the name of the profile to write, and what it is so far."""
    name = call["profile"] or _used() or profiles.DEFAULT
    try:
        return name, profiles.load(name) if profiles.exists(name) else None
    except Failure:
        return name, None  # it is damaged: written anew


def _wanted(call: Call, old: Profile | None) -> Profile:
    """Put what is given over what the profile is."""
    url, auth_url = _address(call["url"], "--url"), _address(call["auth_url"], "--auth-url")
    if old is None and not url:
        raise click.UsageError(
            f"Give --url, the address of the API, such as {addresses.EXAMPLE}. The local emulator "
            "needs no login: 'ce emulator start'."
        )
    if old is None or (url and addresses.versioned(url) != old.url):
        old = Profile(addresses.versioned(url))  # of another host nothing is kept
    new = replace(old.at(call["region"] or ""), auth_url=auth_url or old.auth_url)
    if PLACE in new.url + new.auth_url and not new.region:
        raise click.UsageError(f"The address has {PLACE} in it: give --region.")
    for url in (new.url, new.auth_url):
        new.placed(url)
    return new if call["group"] is None else replace(new, resource_group=_group(call["group"]))


def _address(given: str | None, flag: str) -> str:
    """Check an address: with a scheme and a host, and nothing secret in it."""
    if not given:
        return ""
    url = (given if "://" in given else f"https://{given}").rstrip("/")
    if addresses.read(url.replace(PLACE, "region")) is None:
        raise click.UsageError(f"{flag} is no address such as {addresses.EXAMPLE}.")
    return url


def _group(given: str) -> str:
    """Check the ID of a resource group, where `default` stands for that of who names none."""
    if given.lower() == "default":
        return ""
    if len(given) != 32 or not given.isascii() or not given.isalnum() or given != given.lower():
        raise click.UsageError(
            "--group takes the ID of a resource group (32 lower-case letters and digits), or "
            "'default'."
        )
    return given


def _apikey(call: Call) -> str:
    source = call["apikey"]
    if source is None:
        text = hidden("API key", "--apikey @FILE, or --apikey - and the key on standard input")
    elif source == STDIN or source.startswith("@"):
        text = Inputs().apikey(source)
    else:
        raise click.UsageError(EXPOSED)
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise click.UsageError("What was given is no API key: it is one line without blanks.")
    return key


def _verified(call: Call, name: str, profile: Profile, source: str) -> Profile:
    """Try a profile: the key for a token, the token on the API, and whether the region is right."""
    client = call.client = Client(target.of_profile(name, profile, source))
    account = client.log_in()
    try:
        client.get("/projects", limit="1")
    except Failure as failure:
        if failure.status != 403:  # a role that may not look is a login too
            raise
    region = client.told.get("region", profile.region)
    if region and not REGION.fullmatch(region):
        raise Failure(
            f"{client.target.url} names a region that is none, such as us-south: nothing was "
            "stored. Who runs that server sets CE_REGION."
        )
    if profile.region not in {"", region}:
        raise Failure(
            f"{client.target.url} serves {region}, not {profile.region}: give --region {region}, "
            "or log in to the other address with 'ce login --url URL --profile NAME'. With several "
            f"hosts that differ by region only, one profile serves all: --url 'https://api.{PLACE}"
            ".example.com'."
        )
    if call["region"] and "region" not in client.told and PLACE not in profile.url:
        raise Failure(
            f"{client.target.url} does not say which region it serves: leave --region out."
        )
    return replace(profile, region=region, account=account)


def _described(found: target.Target, project: Doc | None) -> Doc:
    """Give a target as a document: what is known without asking, and never the key."""
    if found.source == target.PROFILE:
        emit(target.overridden(), error=True)
    members: dict[str, Any] = {
        "source": found.source,
        "profile": found.profile,
        "url": found.url,
        "auth_url": found.auth_url,
        "account": found.account,
        "region": found.region,
        "resource_group": found.group or "default",
        "project": project,
    }
    return {**{key: value for key, value in members.items() if value}, "from": found.origin}


def _listed(name: str, used: bool) -> Doc:
    try:
        profile = profiles.load(name)
    except Failure as failure:
        return {"name": name, "active": used, "status": "damaged", "reason": failure.messages[0]}
    status = "logged in" if profile.apikey else "logged out"
    about = {key: getattr(profile, key) for key in ("url", "account", "region", "resource_group")}
    return {"name": name, "active": used, "status": status, **about}
