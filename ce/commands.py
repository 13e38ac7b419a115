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
)
# Documented groups that cannot be honoured: names, and why.
REFUSED = {
    ("experimental", "exp"): "nothing here is experimental.",
    ("serviceaccess",): "there are no service instances here; 'ce secret' keeps credentials.",
    ("subscription", "sub"): "nothing runs, so there is nothing that events could go to.",
}
