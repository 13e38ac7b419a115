"""Decides everything: lifecycle, quotas, sealing, purge. Knows no trigger and no function name."""
