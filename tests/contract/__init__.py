"""What keeps the parts in step: parity, isolation, round trips."""
