"""Programs and build steps: what measures, proves and derives. Nothing here is deployed."""
