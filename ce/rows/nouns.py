"""THE table of nouns. What a noun can do stands in its module of `ce.nouns`.

That is read when the noun is used: `ce --help` needs the lines below, and nothing more.
"""

from ce.call import Noun

PROJECT = "of the selected project."
# Groups of nouns, for names of two words: name, aliases, help.
PARENTS = (("connectivity", ("conn",), "Manage what the selected project may connect to."),)
NOUNS = (
    Noun("project", ("proj",), "Manage projects.", "projects"),
    Noun(
        "reclamation",
        ("recl",),
        "Manage deleted projects that can still be restored.",
        "projects",
    ),
    Noun("secret", (), f"Manage secrets {PROJECT}", "secrets"),
    Noun("registry", (), f"Manage image registry access secrets {PROJECT}", "secrets"),
    Noun("repo", (), f"Manage Git repository access secrets {PROJECT}", "secrets"),
    Noun("configmap", ("cm",), f"Manage config maps {PROJECT}", "configmaps"),
    Noun("application", ("app",), f"Manage applications {PROJECT}", "applications"),
    Noun("revision", ("rev",), f"Manage revisions of applications {PROJECT}", "applications"),
    Noun("job", (), f"Manage jobs {PROJECT}", "jobs"),
    Noun("jobrun", ("jr",), f"Manage job runs {PROJECT}", "jobs"),
    Noun("function", ("fn",), f"Manage functions {PROJECT}", "functions"),
    Noun("build", ("bd", "b"), f"Manage builds {PROJECT}", "builds"),
    Noun("buildrun", ("br",), f"Manage build runs {PROJECT}", "builds"),
    Noun("binding", (), f"Manage what is bound to the components {PROJECT}", "components"),
    Noun("domainmapping", ("dm",), f"Manage custom domains {PROJECT}", "components"),
    Noun(
        "outbound",
        (),
        f"Manage allowed outbound destinations {PROJECT}",
        "connectivity",
        parent="connectivity",
    ),
    Noun("persistentdatastore", ("pds",), f"Manage persistent data stores {PROJECT}", "storage"),
    Noun("apikey", (), "Manage the API keys of the account.", "apikeys"),
    Noun("audit", (), "Read the account's audit trail.", "trail"),
    Noun("certificate", (), "Get and verify certificates of destruction.", "trail"),
)
# Documented groups that cannot be honoured: names, and why.
REFUSED = {
    ("experimental", "exp"): "nothing here is experimental.",
    ("serviceaccess",): "there are no service instances here; 'ce secret' keeps credentials.",
    ("subscription", "sub"): "nothing runs, so there is nothing that events could go to.",
}
# The commands about `ce` itself: those without a group, with their help, and their groups.
OWN = {
    "login": "Log in to a server: try an API key, and keep it in a profile.",
    "logout": "Forget the API key of a profile, and its selected project.",
    "target": "Show what commands act on; with an option, change it first.",
    "open": "Open the console in a browser, signed in once as the key in use.",
    "quota": "Show what holds each project slot, when it frees itself, and how to free it now.",
}
ROOT = Noun("", (), "", "session")
OWN_NOUNS = (Noun("profile", (), "Manage logins of your own; the emulator's is none.", "session"),)
# The emulator's own commands, and those of its keys: told here for completion alone.
EMULATOR = (
    *("account", "clock", "doctor", "env", "exec", "export", "keys", "migrate", "reset"),
    *("schedule", "start", "status", "stop", "triggers"),
)
KEYS = ("list", "prune", "rotate")
