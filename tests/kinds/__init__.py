"""What a project can hold: the rules of each kind, without I/O."""
