"""Binds triggers to the domain; nothing is decided here."""
