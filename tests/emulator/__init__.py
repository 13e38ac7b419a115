"""The local host: what it reads, serves, keeps and says."""
