"""Clients that are not ours, and the commands that are documented."""
