"""A project's key: made of two halves, opened, destroyed."""
