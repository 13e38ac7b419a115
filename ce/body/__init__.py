"""From options, files and prompts to what is sent.

A wrong option is refused here, before anything is asked of the API. Values pass through in
clear: nothing is printed or raised with one in it. `secrets` and `fields` are used by their names.
"""

from ce.body.checks import FILES, whole
from ce.body.fields import Field, always, chosen, flag, masking, plain, removed, value
from ce.body.inputs import STDIN, Inputs, hidden
from ce.body.variables import REMOVALS, option_of, place_in
from ce.body.workloads import (
    CONTAINER,
    MEMBERS,
    above_zero,
    code,
    counted,
    indices,
    port,
    probe,
    put_probe,
    runtime,
    saved,
    visible,
)

__all__ = [
    "CONTAINER",
    "FILES",
    "MEMBERS",
    "REMOVALS",
    "STDIN",
    "Field",
    "Inputs",
    "above_zero",
    "always",
    "chosen",
    "code",
    "counted",
    "flag",
    "hidden",
    "indices",
    "masking",
    "option_of",
    "place_in",
    "plain",
    "port",
    "probe",
    "put_probe",
    "removed",
    "runtime",
    "saved",
    "value",
    "visible",
    "whole",
]
