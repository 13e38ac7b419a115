"""Programs that hold others to something."""
