"""The trail as it is sealed and read."""
