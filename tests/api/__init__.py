"""What openapi.yaml says, and how bodies and paths are read by it."""
