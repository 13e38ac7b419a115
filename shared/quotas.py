"""Every limit in one place, each with its reason. Pure; nothing here is read from outside."""

from datetime import timedelta

MIB = 1024 * 1024

PROJECTS_PER_REGION = 20  # contract 1.4; every project not permanently deleted counts
RESOURCES_PER_PROJECT = {  # contract section 8
    "secrets": 100,
    "config_maps": 100,
    "jobs": 100,
    "job_runs": 100,
    "apps": 40,
    "functions": 20,
    "builds": 100,
    "build_runs": 100,
    "bindings": 100,  # undocumented: ours, one document holds them all
    "domain_mappings": 80,
    "allowed_outbound_destinations": 100,  # undocumented: ours, as bindings
    "persistent_data_stores": 10,
}
KEYS_PER_ACCOUNT = 100  # ours: a key a machine or a person, as with all else a project holds

SECRET_BYTES = 2 * MIB  # all values of one secret, UTF-8: a commit must stay under 4 MiB
INLINE_CODE_BYTES = 102_400  # contract section 8: 100 KB, what base64 adds included
JOB_BYTES = 10 * 1024  # contract section 8: a job or job run as JSON
JOB_INDICES = 1000  # contract section 8: of one job's array
DATA_STORE_MOUNTS = 2  # contract section 8: of one app or job
PRIVATE_PATHS = 3  # contract section 8: connections of one project
SEALED_PART_BYTES = 900 * 1024  # under Firestore's 1 MiB document limit, with room for fields
DOCUMENT_BYTES = 1000 * 1024  # of an envelope and the body it lies beside; more, and it is in parts
CLEAR_BYTES = 512 * 1024  # what is not sealed of an app as JSON; its commit has it twice
# All keys and values of a service's secret: up to 100 are deleted in one commit, with what they
# are bound to, and Firestore refuses a delete of too many bytes.
SERVICE_BYTES = 64 * 1024
# JSON may write each byte of a text as six characters (\u0001), and keys come on top.
BODY_BYTES = 6 * SECRET_BYTES + MIB
TEMPLATE_BYTES = MIB  # all sealed values of an app, a function or a build, UTF-8
TEMPLATE_BODY_BYTES = 6 * (TEMPLATE_BYTES + CLEAR_BYTES) + MIB
PLAIN_BODY_BYTES = 64 * 1024  # of a body that holds no secret's values
FAULTS_TOLD = 20  # of one request; a body that is all faults would be answered with megabytes
FAULTS_SOUGHT_BYTES = 64 * 1024  # in a larger body only the first fault is looked for
# A body is mostly values, and these are strings: a comma or bracket costs a parser hundreds of
# times its bytes. The most that openapi.yaml takes are an app's 100 variables and 100 mounts with
# all members: 2,500 strings, and 24 KiB of the rest, written a member a line.
JSON_STRUCTURE_BYTES = 64 * 1024  # outside strings
JSON_STRINGS = 4096
# One character beyond 16 bits makes Python keep four bytes for each; twice what a secret may hold,
# so that what is a little too large is told by its name.
JSON_TEXT_BYTES = 2 * SECRET_BYTES
ADDRESS_BYTES = 8190  # of a path and query; functions-framework lets gunicorn take any
PAIRS = 1000  # of a form or a query; the longest has a dozen
LARGE_BYTES = 128 * 1024  # memory that is given back when freed: glibc's own first threshold
OPENED = 2  # compressed or large bodies that are opened and parsed at once; more wait their turn
JSON_DEPTH = 32  # the contract's deepest body has 6 levels; json.loads recurses
PART_READS = 3  # times a value in parts is read until a part that is not there counts as lost
PART_TRIES = 20  # times it is read anew because it was replaced meanwhile

# A page of large secrets ends early rather than filling memory: of entries as they are answered,
# where a control character takes six bytes, and of what is read for it.
PAGE_BYTES = 4 * MIB

TOKEN_LIFETIME = timedelta(hours=1)  # contract 7.1
SIGNIN_CODES = 5  # of one key that wait to be used: a browser takes one, and may be closed again
SIGNIN_LIFETIME = timedelta(seconds=60)  # from the command to the click in the browser it opens
SIGNIN_KEPT = timedelta(hours=1)  # after which the schedule removes those that nobody used
CLOCK_SKEW = timedelta(seconds=60)  # that a token's issuer may be ahead of who is shown it
KEY_CACHE_LIFETIME = 60.0  # seconds a plain data key may stay in memory
KEY_CACHE_ENTRIES = 1024
KEY_RECHECK = 5.0  # seconds until keys that were refused are tried again: not at every request
REWRAP_BATCH = 100  # projects whose keys one call re-wraps or counts
KEK_COUNTED = 100_000  # projects looked at before an old key is removed: 2000 reads, 300 s at most
# An old key is kept for at least so long: a create under way may still store what it wrapped.
KEK_REST = timedelta(minutes=10)
KEK_ACT = timedelta(minutes=10)  # a call that makes or removes a key has ended: it may take 300 s
TOKEN_CACHE_ENTRIES = 4096
MIGRATED_KEYS = 50  # records of API keys that one call lists or signs
MIGRATED_VALUES = 20  # documents that one call looks at, or seals anew: of 1 MiB each at most

KEY_SAMPLE = 20  # projects whose halves are looked for, one of which tells whose a key store is
KEY_CHECKS = 5  # readings of the check value that other processes are changing: each makes it once
KEY_CALL = 2.0  # seconds: one call of the cloud's key services with its tries; usually some 0.05
KEY_TRIES = 3  # of one such call, where they fit
KEY_CALLS = 20  # under way at once at each service: a slow one holds a third of CONCURRENCY at most
KEY_FAILURES = 5  # in a row, and a service is left alone: fewer may be chance, more is waiting
KEY_PAUSE = 5.0  # seconds until one call finds out whether it is back: soon, and no storm
# Cloud KMS: a replaced primary version may go on wrapping for so long (docs, "Key consistency").
KMS_PRIMARY = timedelta(hours=3)
KMS_SPARE = timedelta(hours=1)  # a version made by a rotation cut short is still used: under that
KMS_PAGES = 10  # of 100 versions each: a key rotated daily has 365 a year

KEY_RATE, TOKEN_RATE = 50, 5  # requests, exchanges a second: far more than a person or a script
LOCAL_RATE = 1000  # beside an emulator both: no test or bench is to meet it
KEY_BURST, TOKEN_BURST = 2, 4  # seconds of the rate that may come at once: 100, 20
ACCOUNT_KEYS = 2  # keys whose rate an account has: 100 a second, however many keys it makes
# Projects an account makes: a region's twenty at once, and then one in two seconds. In the five
# minutes between two runs of the schedule that is 170, and one run destroys as many key halves
# that no project came of: of Secret Manager's 600 writes a minute each takes two.
CREATE_RATE = 0.5
CREATE_BURST = 40  # seconds of the rate that may come at once: 20
LOCAL_CREATES = 20  # beside an emulator: 800 at once, and what one run clears all the same
BUCKETS = 10_000  # callers whose rate is remembered, those who came last
# Requests worked on at once. With what a gate keeps for those who hold little it is 80: as many as
# the platform sends to one process.
CONCURRENCY = 64
BODIES = 64  # bodies being read at once, beside those
# Of their bodies, as they come and as they open, those that hold over PLAIN_BODY_BYTES: with what
# is made of them they fit beside two that are opened into the 512 MiB that functions.yaml gives.
HELD_BYTES = 32 * MIB
BODY_WORK = 1.0  # seconds of the processor to read a body: in chunks of 240 bytes, as Go's, 0.1 s
STRANGERS = 32  # requests without a token at once, beside all others: an exchange takes some 10 ms
STRANGER_BODY = 5.0  # seconds in which the body of one must be there: 64 KiB at most
# Denied attempts on record: of a person who tries what a role lacks all, of a script that goes on
# and on so many that its key, its time and what it tries are known.
DENIALS, DENIALS_WITHIN = 10, 60.0  # entries of one key and process in so many seconds
DENIAL_TIME = 1.0  # seconds that one may take, and as long to see whether it is there: some 0.01
DENYING = 32  # that wait for their entry at once, outside the other gates
WAITING = 64  # requests that wait for their turn at a document, beside those; 10 s at most
GATE_KEPT = 8  # the part of a gate (an eighth, twice) kept for who holds little of it
GATE_SHARE = 16  # the part of a gate (a sixteenth) up to which that is little: 4 of 64

STORE_DEADLINE = 10.0  # seconds: one request's reads, commits and retries together
STORE_TRY = 5.0  # seconds: one try of them; what hangs leaves time for another
STORE_TRIES = 5  # at a store that does not answer
CONFLICT_TRIES = 20  # where others came first: some 4 s of pauses; each has its turn by then
SWEEP_BATCH = 200  # documents deleted by one event: a commit of names stays small
SWEEP_BYTES = 8 * MIB  # that these may hold: Firestore refuses a delete of too many bytes
EVIDENCE = 8  # versions of a key half that a certificate tells of; as a rule there is one
RESTORES = 32  # of a project, told in its certificate: the last ones
DUE_BATCH = 100  # projects the schedule finds with one query
DUE_PAGES = 10  # of them in one run; the next run goes on
# Key halves without a project: what one run finds, and how long it goes on destroying them.
ORPHANS = 10_000
ORPHAN_TIME = 60.0  # seconds: of the function's 180, and of the 300 between two runs
ORPHANS_AT_ONCE = 8  # under way: fewer than KEY_CALLS
SECRETS_LISTED, SECRET_PAGES = 500, 100  # of one page, in search of them: the newest come first
RECLAMATIONS = 1000  # shown at once: the cap may be set higher, or have been
REGIONS_CHECKED = 20  # regions whose slots one schedule run compares with the projects
NUDGE_AFTER = timedelta(minutes=15)  # a purge idle for longer has lost its event
FAIL_AFTER = timedelta(hours=24)  # events are discarded after 24 h of failed delivery
REPEATED = timedelta(hours=24)  # in which a change may be sent again: a night's outage, and a retry
# Of one member of an answer that is kept so long: what is larger is in the request, or in the
# resource, and a change of a few bytes to a large app leaves no copy of all of it.
KEPT_BYTES = 1024
# Seconds in which one schedule run forgets them: of the function's 180, beside ORPHAN_TIME
FORGET_TIME = 60.0
RETRY_AFTER = timedelta(hours=1)  # then a failed purge is tried again, without anyone acting
ORPHAN_AFTER = timedelta(hours=1)  # a key half no create can still be about to use

# The log: a batch is one commit, with an account each at worst some 410 writes and 250 kB. A run
# leaves 15 s of the function's 60 for its last commit and the signature; a document bears about one
# write a second, so in production 200 entries a second are sealed, and more wait.
SEAL_BATCH = 200
SEAL_TIME = 45.0  # seconds
SEAL_PAUSE = 1.0  # seconds between two commits of one run, in production
SEAL_JITTER = 0.2  # seconds at most until a run that was overtaken looks again
SEAL_LATE = 300.0  # seconds that an entry may wait until that is told: two runs would have come
SEAL_LOOKS = 3  # at a log that is shorter than its checkpoint, which a torn read may show

# The version dates of the API (contract section 5): from the first to the newest known.
FIRST_VERSION, NEWEST_VERSION = "2021-03-31", "2026-09-04"
