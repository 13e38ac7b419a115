"""Every command: a transcript of those on what a project holds, an operation of the others.

Transcripts are the documented ones, told honestly: what the documentation shows of a running thing
is not there, since nothing runs. A new kind brings its rows. `{ID}`, `{AGE}` and their like are
`tests.support.cli.FORMS`; several blanks stand for any number of them.
"""

from dataclasses import dataclass

IMAGE = "icr.io/codeengine/firstjob"
SOURCE = "https://github.com/IBM/CodeEngine"
CRN = "crn:v1:bluemix:public:is:eu-de:a/abc::private-path-service-gateway:r010-2b2b"
OUTBOUND = "connectivity outbound"
CONFIGMAP = "configmap create -n cm -l color=blue -l size=large"
JOB = f"job create -n hello -i {IMAGE} -e TARGET=me"
JOBRUN = "jobrun submit -n run -j hello"
APP = f"application create -n myapp -i {IMAGE}"
FUNCTION = "function create -n fn -r nodejs --code-bundle icr.io/ns/code"
BUILD = f"build create -n bld -i icr.io/ns/out --rs hub --src {SOURCE} --force"
BUILDRUN = "buildrun submit -n run -b bld"
BINDING = "binding create -t myapp --type app -p COS -s access"
DOMAIN = "domainmapping create -n www.example.com -t myapp --type app --tls cert"
RANGE = f"{OUTBOUND} create -n range -c 5.6.7.8/29"
PRIVATE = f"{OUTBOUND} create -n path --pps-crn {CRN}"
STORE = "persistentdatastore create -n pds --cos-sec hmac --cos-bucket bucket --cos-loc eu-de"

HEAD = (
    "Name:  {name}\nID:  {ID}\nProject Name:  myproject\nProject ID:  {ID}\n"
    "Age:  {AGE}\nCreated:  {STAMP}\n"
)
ID = "\nID:  {ID}"
STAYS = "stays '{state}': it is stored, and no runtime is attached.\n"
URL = "https://{name}.{SUB}.us-south.codeengine.appdomain.cloud"
COMPUTED = (
    "Literal  CE_API_BASE_URL  https://api.private.us-south.codeengine.cloud.ibm.com",
    "Literal  CE_APP  myapp",
    "Literal  CE_DOMAIN  us-south.codeengine.appdomain.cloud",
    "Literal  CE_PROJECT_ID  {ID}",
    "Literal  CE_REGION  us-south",
    "Literal  CE_SUBDOMAIN  {SUB}",
)
APP_ENV = "Environment Variables:\n" + "".join(
    f"  {line}\n" for line in ("Type     Name  Value", *COMPUTED)
)
SIZES = "Resource Allocation:\n  CPU:  1\n  Ephemeral Storage:  400M\n  Memory:  4G\n"
SCALE = (
    "Runtime:\n  Concurrency:  100\n  Maximum Scale:  10\n  Minimum Scale:  0\n"
    "  Scale Down Delay:  0\n  Timeout:  300\n"
)
JOB_ENV = "Environment Variables:\n  Type     Name    Value\n  Literal  TARGET  me\n"
TASK = (
    "Runtime:\n  Mode:  task\n  Array Indices:  0\n  Array Size:  1\n"
    "  Max Execution Time:  7200\n  Retry Limit:  3\n"
)
BUILT = (
    "Image:  icr.io/ns/out\nRegistry Secret:  hub\nBuild Strategy:  dockerfile-medium\n"
    f"Timeout:  10m0s\nSource:  {SOURCE}\nDockerfile:  Dockerfile\n"
)


def head(name: str) -> str:
    """Give what the blocks of most kinds begin with."""
    return HEAD.replace("{name}", name)


def stays(what: str, state: str) -> str:
    """Give the line that nothing is waited for."""
    return f"{what} {STAYS.replace('{state}', state)}"


def url(name: str) -> str:
    """Give the address of an application or function."""
    return URL.replace("{name}", name)


@dataclass(frozen=True)
class Example:
    """A command, the operation it is there for, and what it prints once `before` were run."""

    noun: str
    words: str  # the verb, and its options
    operation: str
    says: str
    before: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """The command within its noun."""
        return self.words.split()[0]


APP_STAYS = stays("Application 'myapp'", "warning")
FN_STAYS = stays("Function 'fn'", "offline")
APP_MORE = "Run `ce application get -n 'myapp'` to check the application status.\nOK\n\n"
RUN_MORE = "Run 'ce jobrun get -n {name}' to check the job run status.\nOK\n"
MAP_MORE = "OK\nRun 'ce configmap get -n cm' to see more details.\n"
FN_MORE = "OK\nRun 'ce function get -n fn' to see more details.\n\n"

EXAMPLES = (
    Example(
        "configmap", "create -n cm -l A=1", "create_config_map",
        f"Creating Configmap 'cm'...\n{MAP_MORE}",
    ),
    Example(
        "configmap", "delete -n cm -f", "delete_config_map", "Deleting Configmap 'cm'...\nOK\n",
        (CONFIGMAP,),
    ),
    Example(
        "configmap", "get -n cm", "get_config_map",
        f"Getting configmap 'cm'...\nOK\n\n{head('cm')}\nData:\n---\ncolor: blue\nsize: large\n",
        (CONFIGMAP,),
    ),
    Example(
        "configmap", "list", "list_config_maps",
        "Listing Configmaps...\nName  Data  Age\ncm    2     {AGE}\n",
        (CONFIGMAP,),
    ),
    Example(
        "configmap", "update -n cm -l color=red --rm size", "replace_config_map",
        f"Updating configmap 'cm'...\n{MAP_MORE}",
        (CONFIGMAP,),
    ),
    Example(
        "job", f"create -n hello -i {IMAGE}", "create_job", "Creating job 'hello'...\nOK\n"
    ),
    Example("job", "delete -n hello -f", "delete_job", "Deleting job 'hello'...\nOK\n", (JOB,)),
    Example(
        "job", "get -n hello", "get_job",
        f"Getting job 'hello'...\nOK\n\n{head('hello')}\n"
        "Last Job Run:\n  Name:  run\n  Age:  {AGE}\n  Created:  {STAMP}\n\n"
        f"{JOB_ENV}Image:  {IMAGE}\nResource Allocation:\n  CPU:  1\n  Memory:  4G\n\n{TASK}",
        (JOB, JOBRUN),
    ),
    Example(
        "job", "list", "list_jobs",
        "Name   Age    Last Job Run Name  Last Job Run Age\nhello  {AGE}  run  {AGE}\n",
        (JOB, JOBRUN),
    ),
    Example(
        "job", "update -n hello --cpu 2 -m 8G", "update_job", "Updating job 'hello'...\nOK\n",
        (JOB,),
    ),
    Example(
        "jobrun", "submit -j hello", "create_job_run",
        "Submitting job run 'hello-jobrun-{CHANCE}'...\n"
        + RUN_MORE.replace("{name}", "hello-jobrun-{CHANCE}"),
        (JOB,),
    ),
    Example(
        "jobrun", "resubmit -j run -n again", "create_job_run",
        "Getting job run 'run'...\nRerunning job run 'again'...\n"
        + RUN_MORE.replace("{name}", "again"),
        (JOB, JOBRUN),
    ),
    Example(
        "jobrun", "delete -n run -f", "delete_job_run", "Deleting job run 'run'...\nOK\n",
        (JOB, JOBRUN),
    ),
    Example(
        "jobrun", "get -n run", "get_job_run",
        f"Getting jobrun 'run'...\nOK\n\n{head('run')}\n{JOB_ENV}Image:  {IMAGE}\n{SIZES}\n{TASK}\n"
        "Status:\n  Job:  hello\n  Summary:  Pending\n  Reason:  no runtime attached\n"
        "  Instance Statuses:\n  Pending:  1\n",
        (JOB, JOBRUN),
    ),
    Example(
        "jobrun", "list -j hello", "list_job_runs",
        "Listing job runs...\nOK\n\n"
        "Name  Failed  Pending  Requested  Running  Succeeded  Unknown  Age\n"
        "run   0       1        1          0        0          0        {AGE}\n",
        (JOB, JOBRUN),
    ),
    Example(
        "application", f"create -n myapp -i {IMAGE}", "create_app",
        f"Creating application 'myapp'...\n{APP_STAYS}"
        f"{APP_MORE}{url('myapp')}\n",
    ),
    Example(
        "application", "delete -n myapp -f", "delete_app", "Deleted application 'myapp'\n", (APP,)
    ),
    Example(
        "application", "get -n myapp", "get_app",
        f"Getting application 'myapp'...\nOK\n\n{head('myapp')}URL:  {url('myapp')}\n"
        "Cluster Local URL:  http://myapp.{SUB}.svc.cluster.local\n"
        f"Status Summary:  Warning: no runtime attached\n\n{APP_ENV}Image:  {IMAGE}\n{SIZES}"
        "Port:  8080\n\nRevisions:\n  myapp-00001:\n  Age:  {AGE}\n  Latest:  true\n"
        f"  Image:  {IMAGE}\n  Running Instances:  0\n\n{SCALE}",
        (APP,),
    ),
    Example(
        "application", "list", "list_apps",
        "Listing all applications...\nOK\n\n"
        "Name   Status   URL  Latest  Age  Conditions  Reason\n"
        f"myapp  Warning  {url('myapp')}  myapp-00001  {{AGE}}  no runtime attached\n",
        (APP,),
    ),
    Example(
        "application", "update -n myapp --max 3", "update_app",
        f"Updating application 'myapp' to latest revision.\n{APP_STAYS}"
        "Run 'ce application get -n myapp' to check the application status.\nOK\n\n"
        f"{url('myapp')}\n",
        (APP,),
    ),
    Example(
        "revision", "delete -n myapp-00001 -f", "delete_app_revision",
        "Deleting application revision 'myapp-00001'...\nOK\n",
        (APP, "application update -n myapp"),
    ),
    Example(
        "revision", "get -n myapp-00001", "get_app_revision",
        "Getting application revision 'myapp-00001'...\nGetting application 'myapp'...\nOK\n\n"
        f"{head('myapp-00001')}Status Summary:  Warning: no runtime attached\n\n{APP_ENV}"
        f"Image:  {IMAGE}\n{SIZES}Port:  8080\n\n{SCALE}",
        (APP,),
    ),
    Example(
        "revision", "list", "list_app_revisions",
        "Listing all application revisions...\nOK\n\n"
        "Name  Application  Status  URL  Latest  Tag  Traffic  Age  Conditions  Reason\n"
        "myapp-00001  myapp  Warning  {AGE}  no runtime attached\n"
        "myapp-00002  myapp  Warning  true  {AGE}  no runtime attached\n",
        (APP, "application update -n myapp"),
    ),
    Example(
        "function", "create -n fn -r nodejs --cb icr.io/ns/code", "create_function",
        f"Creating function 'fn'...\n{FN_STAYS}{FN_MORE}{url('fn')}\n",
    ),
    Example(
        "function", "delete -n fn -f", "delete_function", "Deleting function 'fn'...\nOK\n",
        (FUNCTION,),
    ),
    Example(
        "function", "get -n fn", "get_function",
        f"Getting function 'fn'...\nOK\n\n{head('fn').replace(ID, '')}URL:  {url('fn')}\n"
        "Status:  Offline\nReason:  no runtime attached\n\n"
        "Resources:\n  CPU:  1\n  Memory:  4G\n  Max Execution Time:  60 seconds\n\n"
        "Function Code:\n  Runtime:  nodejs-22 (managed)\n  Code Bundle:  cr://icr.io/ns/code\n"
        "  Main:  main()\n",
        (FUNCTION,),
    ),
    Example(
        "function", "list", "list_functions",
        f"Name  Status  URL  CPU  Memory  Age\nfn    Offline  {url('fn')}  1    4G      {{AGE}}\n",
        (FUNCTION,),
    ),
    Example(
        "function", "runtimes", "list_function_runtimes",
        "Name         ID           Family  Default\nNode.js 20   nodejs-20    nodejs  false\n"
        "Node.js 22   nodejs-22    nodejs  true\nNode.js 24   nodejs-24    nodejs  false\n"
        "Python 3.11  python-3.11  python  true\nPython 3.13  python-3.13  python  false\n",
    ),
    Example(
        "function", "update -n fn --main run", "update_function",
        f"Updating function 'fn'...\n{FN_STAYS}{FN_MORE}{url('fn')}\n",
        (FUNCTION,),
    ),
    Example(
        "build", BUILD.removeprefix("build "), "create_build", "Creating build bld...\nOK\n"
    ),
    Example(
        "build", "delete -n bld -f", "delete_build", "Deleting build 'bld'...\nOK\n", (BUILD,)
    ),
    Example(
        "build", "get -n bld", "get_build",
        f"Getting build 'bld'\nOK\n\n{head('bld')}Status:  Ready\nReason:  registered\n\n"
        "Last Build Run:\n  Name:  run\n  Age:  {AGE}\n  Created:  {STAMP}\n\n"
        f"{BUILT}\nBuild Runs:\n  Name  Status  Image  Age\n"
        "  run  Pending: no runtime attached  icr.io/ns/out  {AGE}\n",
        (BUILD, BUILDRUN),
    ),
    Example(
        "build", "list", "list_builds",
        "Listing builds...\nOK\n\nName  Status  Reason  Image  Build Strategy  Age  "
        "Last Build Run Name  Last Build Run Age\n"
        "bld   Ready  registered  icr.io/ns/out  dockerfile-medium  {AGE}  run  {AGE}\n",
        (BUILD, BUILDRUN),
    ),
    Example(
        "build", "update -n bld --to 60", "update_build", "Updating build bld...\nOK\n", (BUILD,)
    ),
    Example(
        "buildrun", "submit -b bld", "create_build_run",
        "Submitting build run 'bld-run-{TIME}'...\nRun 'ce buildrun get "
        "-n bld-run-{TIME}' to check the build run status.\nOK\n",
        (BUILD,),
    ),
    Example(
        "buildrun", "delete -n run -f", "delete_build_run", "Deleting build run 'run'...\nOK\n",
        (BUILD, BUILDRUN),
    ),
    Example(
        "buildrun", "get -n run", "get_build_run",
        f"Getting build run 'run'...\nOK\n\n{head('run')}\nSummary:  Pending\nStatus:  Pending\n"
        f"Reason:  no runtime attached\n\nBuild Name:  bld\n{BUILT}",
        (BUILD, BUILDRUN),
    ),
    Example(
        "buildrun", "list", "list_build_runs",
        "Listing builds...\nOK\n\nName  Status   Build Name  Age\nrun   Pending  bld  {AGE}\n",
        (BUILD, BUILDRUN),
    ),
    Example(
        "binding", BINDING.removeprefix("binding "), "create_binding",
        "Creating binding for app 'myapp'...\nOK\n"
        "Run 'ce binding get --id {ID}' to see more details.\n",
    ),
    Example(
        "binding", "delete --id @ -f", "delete_binding", "Deleting binding '{ID}'...\nOK\n",
        (BINDING,),
    ),
    Example(
        "binding", "get --id @", "get_binding",
        "Getting binding '{ID}'...\nOK\n\nID:  {ID}\nProject Name:  myproject\n"
        "Project ID:  {ID}\nTarget Name:  myapp\nTarget Type:  app\nPrefix:  COS\n"
        "Secret Name:  access\nStatus:  pending\n",
        (BINDING,),
    ),
    Example(
        "binding", "list", "list_bindings",
        "Listing bindings...\nOK\n\nID  Target  Target-Type  Prefix  Secret Name  Status\n"
        "{ID}  myapp  app  COS  access  pending\n",
        (BINDING,),
    ),
    Example(
        "domainmapping", DOMAIN.removeprefix("domainmapping "), "create_domain_mapping",
        "OK\nDomain mapping successfully created.\n",
    ),
    Example(
        "domainmapping", "delete -n www.example.com -f", "delete_domain_mapping",
        "Deleting domain mapping 'www.example.com'...\nOK\n",
        (DOMAIN,),
    ),
    Example(
        "domainmapping", "get --dn www.example.com", "get_domain_mapping",
        "Getting domainmapping 'www.example.com'...\nOK\n\nDomain Name:  www.example.com\n"
        "CNAME:  custom.{SUB}.us-south.codeengine.appdomain.cloud\nTarget Name:  myapp\n"
        "Target Type:  app\nTLS Secret:  cert\nStatus:  failed\nReason:  no runtime attached\n",
        (DOMAIN,),
    ),
    Example(
        "domainmapping", "list", "list_domain_mappings",
        "Listing domain mappings...\nOK\n\n"
        "Name  CNAME  Target  Target-Type  Status  Secret Name  Age\nwww.example.com  "
        "custom.{SUB}.us-south.codeengine.appdomain.cloud  myapp  app  failed  cert  {AGE}\n",
        (DOMAIN,),
    ),
    Example(
        "domainmapping", "update -n www.example.com -t other", "update_domain_mapping",
        "Updating domainmapping 'www.example.com'...\n",
        (DOMAIN,),
    ),
    Example(
        OUTBOUND, RANGE.removeprefix(f"{OUTBOUND} "), "create_allowed_outbound_destination",
        "Creating allowed destination IP address range 'range'...\nOK\n",
    ),
    Example(
        OUTBOUND, PRIVATE.removeprefix(f"{OUTBOUND} "), "create_allowed_outbound_destination",
        "Creating allowed outbound destination 'path'...\n"
        "Successfully created allowed outbound destination 'path'. Current status is 'failed'\n"
        "Run 'ce connectivity outbound get --name path' to see more details.\nOK\n",
    ),
    Example(
        OUTBOUND, "delete -n range -f", "delete_allowed_outbound_destination",
        "Deleting allowed outbound destination 'range'...\nOK\n",
        (RANGE,),
    ),
    Example(
        OUTBOUND, "get --n range", "get_allowed_outbound_destination",
        "Getting allowed outbound destination 'range'...\nOK\n\nProject name:  myproject\n"
        "Name:  range\nFormat:  cidr_block\n\nIP address range:  5.6.7.8/29\n",
        (RANGE,),
    ),
    Example(
        OUTBOUND, "get --cidr-name path", "get_allowed_outbound_destination",
        "Getting allowed outbound destination 'path'...\nOK\n\nProject name:  myproject\n"
        "Name:  path\nFormat:  private_path_service_gateway\n\nPrivate path service:\n"
        f"  CRN:  {CRN}\n  Status:  failed\n  Reason:  no runtime attached\n"
        "  Isolation policy:  shared\n",
        (PRIVATE,),
    ),
    Example(
        OUTBOUND, "list", "list_allowed_outbound_destinations",
        "Listing allowed outbound destinations...\nOK\n\nCIDR ranges:\n"
        "  Name       IP address range\n  allow-all  0.0.0.0/0\n  range      5.6.7.8/29\n\n"
        "Private path connections:\n  Name  Status  Service endpoints\n  path  failed\n",
        (RANGE, PRIVATE),
    ),
    Example(
        OUTBOUND, "update -n range -c 5.6.8.8/29", "update_allowed_outbound_destination",
        "Updating allowed destination IP address range 'range'...\nOK\n",
        (RANGE,),
    ),
    Example(
        OUTBOUND, "update -n path --pip dedicated", "update_allowed_outbound_destination",
        "Updating allowed outbound destination 'path'...\nOK\n",
        (PRIVATE,),
    ),
    Example(
        "persistentdatastore", STORE.partition(" ")[2], "create_persistent_data_store",
        "Successfully created persistent data store named 'pds'.\nOK\n",
    ),
    Example(
        "persistentdatastore", "delete -n pds -f", "delete_persistent_data_store",
        "Deleting persistent data store 'pds'...\nOK\n",
        (STORE,),
    ),
    Example(
        "persistentdatastore", "get -n pds", "get_persistent_data_store",
        "Getting persistent data store 'pds'...\nOK\n\nName:  pds\nID:  {ID}\n"
        "Type:  object_storage\nCreated:  {LONG}\nAge:  {AGE}\nProject Name:  myproject\n"
        "Project ID:  {ID}\n\n"
        "Data:\n  COS bucket:  bucket\n  Access secret:  hmac\n  Bucket region:  eu-de\n",
        (STORE,),
    ),
    Example(
        "persistentdatastore", "list", "list_persistent_data_stores",
        "Listing persistent data stores...\nOK\n"
        "Name  COS bucket  Access secret  Bucket region  Age\n"
        "pds   bucket  hmac  eu-de  {AGE}\n",
        (STORE,),
    ),
)  # fmt: skip

# The least a row can be asked, and the operation it is there for. `mine` is active and selected,
# with a generic, a registry and an ssh secret in it; `old` is soft deleted.
ROWS = {
    ("project", "create"): ("-n new", "create_project"),
    ("project", "current"): ("", "get_project"),
    ("project", "delete"): ("-n mine -f", "delete_project"),
    ("project", "get"): ("-n mine", "list_projects"),
    ("project", "list"): ("", "list_projects"),
    ("project", "restore"): ("-n old", "restore_project"),
    ("project", "select"): ("-n mine", "list_projects"),
    ("reclamation", "delete"): ("-n old -f", "reclaim_project"),
    ("reclamation", "get"): ("-n old", "list_reclamations"),
    ("reclamation", "list"): ("", "list_reclamations"),
    ("reclamation", "restore"): ("-n old", "restore_project"),
    ("secret", "create"): ("-n new -l A=b", "create_secret"),
    ("secret", "delete"): ("-n plain -f", "delete_secret"),
    ("secret", "get"): ("-n plain", "get_secret"),
    ("secret", "list"): ("", "list_secrets"),
    ("secret", "update"): ("-n plain -l A=c", "replace_secret"),
    ("registry", "create"): ("-n new -u u -p p", "create_secret"),
    ("registry", "delete"): ("-n login -f", "delete_secret"),
    ("registry", "get"): ("-n login", "get_secret"),
    ("registry", "list"): ("", "list_secrets"),
    ("registry", "update"): ("-n login -p q", "replace_secret"),
    ("repo", "create"): ("-n new --ho github.com --kp -", "create_secret"),
    ("repo", "delete"): ("-n git -f", "delete_secret"),
    ("repo", "get"): ("-n git", "get_secret"),
    ("repo", "list"): ("", "list_secrets"),
    ("repo", "update"): ("-n git --ho gitlab.com", "replace_secret"),
    ("apikey", "create"): ("new", "create_api_key"),
    ("apikey", "delete"): ("first -f", "delete_api_key"),
    ("apikey", "list"): ("", "list_api_keys"),
    ("audit", "checkpoint"): ("", "get_log_checkpoint"),
    ("audit", "export"): ("trail --no-wait", "create_audit_export"),
    ("audit", "verify"): ("", None),
    ("certificate", "get"): ("gone", "get_certificate"),
    ("audit", "list"): ("--project mine --since 7d --limit 3", "list_audit_entries"),
    ("certificate", "list"): ("", "list_certificates"),
    ("certificate", "verify"): ("", None),
}
