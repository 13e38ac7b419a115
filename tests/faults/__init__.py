"""Reliability: faults, hostile input and the model of the lifecycle."""
