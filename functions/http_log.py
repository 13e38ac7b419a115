"""The transparency log over HTTP: static bytes, for anybody."""

from functions.binding import http
from shared import audit

getLogCheckpoint = http("get_log_checkpoint", audit.checkpoint)
getLogTile = http("get_log_tile", audit.tile)
getLogKeys = http("get_log_keys", audit.keys)
