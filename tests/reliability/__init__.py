"""Faults, keys and hostile input: what holds on the worst day, claim by claim."""
