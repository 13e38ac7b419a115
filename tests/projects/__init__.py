"""A project until it is destroyed."""
