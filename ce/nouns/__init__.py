"""The rows of the commands, a module for nouns that belong together: read when one is used.

A row says everything that is particular to a command, in the documentation's own notation; a new
kind of resource is new rows. Nothing is decided here, and no request is made.
"""
