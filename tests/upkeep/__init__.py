"""The purge, the schedule, and the rotation of keys."""
