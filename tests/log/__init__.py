"""The transparency log's formats, without any log."""
