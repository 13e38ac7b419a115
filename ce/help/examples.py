"""An example of every command, to paste: read only when help is shown.

`NOUN VERB`, or the command's own name, gives the lines. No value that is secret stands in one: it
comes from a file, from standard input or from a prompt.
"""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "login": (
        "ce login --url https://ce.example.com",
        "ce login --url https://ce.example.com --apikey @key.json --profile work",
        "ce login --url 'https://api.{region}.example.com' --region eu-de --apikey -",
    ),
    "logout": ("ce logout",),
    "target": (
        "ce target",
        "ce target -r eu-de -g default",
        "ce target -o jsonpath={.url}",
    ),
    "quota": ("ce quota", "ce quota --region eu-de -o json"),
    "open": ("ce open", "ce open --print"),
    "profile list": ("ce profile list",),
    "profile use": ("ce profile use work",),
    "profile delete": ("ce profile delete work --force",),
    "help": ("ce help secret create", "ce help exit-codes"),
    "version": ("ce version",),
    "completion": (
        'eval "$(ce completion bash)"',
        'eval "$(ce completion zsh)"',
        "ce completion fish | source",
    ),
    "shim": ('eval "$(ce shim)"', "ce shim fish | source"),
    "project create": (
        "ce project create --name myproject",
        "ce project create -n myproject --tag team:blue --no-select -o json",
    ),
    "project current": ("ce project current", "ce project current -o jsonpath={.guid}"),
    "project delete": (
        "ce project delete --name myproject --force",
        "ce project delete --name myproject --hard",
    ),
    "project get": ("ce project get --name myproject",),
    "project list": ("ce project list", "ce project list --sort-by age -o json"),
    "project restore": ("ce project restore --name myproject",),
    "project select": ("ce project select --name myproject",),
    "reclamation delete": ("ce reclamation delete --name myproject",),
    "reclamation get": ("ce reclamation get --name myproject",),
    "reclamation list": ("ce reclamation list",),
    "reclamation restore": ("ce reclamation restore --name myproject",),
    "secret create": (
        "ce secret create --name settings --from-env-file settings.env",
        "ce secret create -n login --format basic_auth -u me --password-from-file -",
        "ce secret create -n site --format tls --cert-chain-file c.pem --private-key-file k.pem",
    ),
    "secret delete": ("ce secret delete --name settings --force",),
    "secret get": ("ce secret get --name settings", "ce secret get -n settings --decode"),
    "secret list": ("ce secret list", "ce secret list --project myproject --sort-by age"),
    "secret update": ("ce secret update --name settings --from-file TOKEN=- --rm OLD",),
    "repo create": ("ce repo create --name github --host github.com --key-path key.pem",),
    "repo delete": ("ce repo delete --name github",),
    "repo get": ("ce repo get --name github",),
    "repo list": ("ce repo list",),
    "repo update": ("ce repo update --name github --key-path new.pem",),
    "registry create": (
        "ce registry create --name hub --server docker.io -u me --password-from-file -",
    ),
    "registry delete": ("ce registry delete --name hub",),
    "registry get": ("ce registry get --name hub",),
    "registry list": ("ce registry list",),
    "registry update": ("ce registry update --name hub --password-from-file new.txt",),
    "configmap create": ("ce configmap create --name settings --from-literal color=blue",),
    "configmap delete": ("ce configmap delete --name settings",),
    "configmap get": ("ce configmap get --name settings",),
    "configmap list": ("ce configmap list",),
    "configmap update": ("ce configmap update --name settings -l color=red --rm size",),
    "application create": (
        "ce application create --name web --image icr.io/codeengine/helloworld",
        "ce application create -n web -i me/web --registry-secret hub --env-from-secret settings",
    ),
    "application delete": ("ce application delete --name web --force",),
    "application get": ("ce application get --name web", "ce application get -n web -o url"),
    "application list": ("ce application list",),
    "application update": ("ce application update --name web --max-scale 3 --env-rm COLOR",),
    "revision delete": ("ce revision delete --name web-00001",),
    "revision get": ("ce revision get --name web-00001",),
    "revision list": ("ce revision list --application web",),
    "job create": ("ce job create --name hello --image icr.io/codeengine/firstjob",),
    "job delete": ("ce job delete --name hello",),
    "job get": ("ce job get --name hello",),
    "job list": ("ce job list",),
    "job update": ("ce job update --name hello --array-indexes 0-9 --memory 2G --cpu 0.5",),
    "jobrun submit": ("ce jobrun submit --job hello", "ce jobrun submit -j hello --array-size 5"),
    "jobrun resubmit": ("ce jobrun resubmit --jobrun hello-1 --name hello-2",),
    "jobrun delete": ("ce jobrun delete --name hello-1",),
    "jobrun get": ("ce jobrun get --name hello-1",),
    "jobrun list": ("ce jobrun list --job hello",),
    "function create": (
        "ce function create --name greet --runtime nodejs --inline-code main.js",
        "ce function create -n greet -r python --code-bundle icr.io/me/greet",
    ),
    "function delete": ("ce function delete --name greet",),
    "function get": ("ce function get --name greet --save main.js",),
    "function list": ("ce function list",),
    "function runtimes": ("ce function runtimes",),
    "function update": ("ce function update --name greet --memory 4G --cpu 1",),
    "build create": (
        "ce build create -n web --image me/web --registry-secret hub --source https://git.host/web",
    ),
    "build delete": ("ce build delete --name web",),
    "build get": ("ce build get --name web",),
    "build list": ("ce build list",),
    "build update": ("ce build update --name web --commit main --timeout 900",),
    "buildrun submit": ("ce buildrun submit --build web",),
    "buildrun delete": ("ce buildrun delete --build web --force",),
    "buildrun get": ("ce buildrun get --name web-1",),
    "buildrun list": ("ce buildrun list --build web",),
    "binding create": (
        "ce binding create --target web --target-type app --prefix COS --secret cos",
    ),
    "binding delete": ("ce binding delete --id a172ced-b5f21bc-71ba50c-1638604",),
    "binding get": ("ce binding get --id a172ced-b5f21bc-71ba50c-1638604",),
    "binding list": ("ce binding list",),
    "domainmapping create": (
        "ce domainmapping create -n www.example.com -t web --target-type app --tls-secret site",
    ),
    "domainmapping delete": ("ce domainmapping delete --name www.example.com",),
    "domainmapping get": ("ce domainmapping get --name www.example.com",),
    "domainmapping list": ("ce domainmapping list --all",),
    "domainmapping update": ("ce domainmapping update -n www.example.com --tls-secret renewed",),
    "connectivity outbound create": (
        "ce connectivity outbound create --name office --cidr 192.168.3.0/24",
    ),
    "connectivity outbound delete": ("ce connectivity outbound delete --name office",),
    "connectivity outbound get": ("ce connectivity outbound get --name office",),
    "connectivity outbound list": ("ce connectivity outbound list",),
    "connectivity outbound update": (
        "ce connectivity outbound update --name office --cidr 192.168.4.0/24",
    ),
    "persistentdatastore create": (
        "ce persistentdatastore create -n data --cos-bucket b --cos-loc eu-de --cos-sec hmac",
    ),
    "persistentdatastore delete": ("ce persistentdatastore delete --name data",),
    "persistentdatastore get": ("ce persistentdatastore get --name data",),
    "persistentdatastore list": ("ce persistentdatastore list",),
    "apikey create": (
        "ce apikey create ci --role writer --role viewer --expires-in 30d -o json",
        "ce apikey create ci --project myproject --role writer",
    ),
    "apikey delete": ("ce apikey delete ci",),
    "apikey list": ("ce apikey list --sort-by age",),
    "audit checkpoint": ("ce audit checkpoint", "ce audit checkpoint --append checkpoints.txt"),
    "audit export": ("ce audit export trail-2026-11",),
    "audit verify": ("ce audit verify trail-2026-11 --key log.vkey --since checkpoints.txt",),
    "audit list": (
        "ce audit list --project myproject --since 7d",
        "ce audit list --action secret.read --initiator ci -o json",
    ),
    "certificate get": ("ce certificate get --name shop", "ce certificate get shop --out shop"),
    "certificate list": ("ce certificate list",),
    "certificate verify": (
        "ce certificate verify shop.certificate.json shop.tlog-proof --key log.vkey",
        "ce certificate verify c.json c.tlog-proof --key log.vkey --witness w.vkey --witnesses 1",
    ),
}
FIRST = (
    "ce emulator start",
    "ce project create --name myproject",
    "ce secret create --name settings --from-env-file settings.env",
    "ce open",
    "ce quota",
)


def shown(key: str) -> tuple[str, ...]:
    """Give the lines of a command; of a group, the first of each command in it."""
    if key in EXAMPLES:
        return EXAMPLES[key]
    if key == "ce":
        return FIRST
    return tuple(lines[0] for name, lines in EXAMPLES.items() if name.startswith(f"{key} "))
