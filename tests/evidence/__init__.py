"""What is remembered of each change."""
