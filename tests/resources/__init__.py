"""The five verbs for any kind, and what a write takes along."""
