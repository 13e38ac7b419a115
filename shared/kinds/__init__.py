"""What a project can hold: a row each, and its rules. Pure.

A row and two hooks say all that is particular to a kind. Nothing here reads the store, opens a
key, knows the time or repeats a value in an error.
"""

from shared.kinds import destinations
from shared.kinds.apps import present_revision
from shared.kinds.functions import RUNTIMES
from shared.kinds.rules import Fields
from shared.kinds.table import (
    ALLOWED_OUTBOUND_DESTINATIONS,
    APPS,
    BINDINGS,
    BUILD_RUNS,
    BUILDS,
    BY_COLLECTION,
    CONFIG_MAPS,
    DOMAIN_MAPPINGS,
    FUNCTIONS,
    JOB_RUNS,
    JOBS,
    KINDS,
    PERSISTENT_DATA_STORES,
    SECRETS,
    Kind,
)
