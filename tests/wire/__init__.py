"""From an HTTP request to a use case and back."""
