"""A connection's socket that keeps what its client does not take yet, so that no thread waits.

It must never drop a byte, nor send one before those that were kept.
"""

import socket
from typing import Any

PIECE = 262_144  # bytes sent at a time


class Outlet(socket.socket):
    """Sends what fits, and keeps the rest until it is asked to go on."""

    def __init__(self, taken: socket.socket) -> None:
        super().__init__(fileno=taken.detach())
        self.left = bytearray()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send, or keep, all of the data; never wait."""
        self.left += data
        while self.left and self.go_on(flags):
            pass

    def send(self, data: Any, flags: int = 0) -> int:
        """Send, or keep, all of the data; never wait, whoever writes it."""
        self.sendall(data, flags)
        return len(data)

    def go_on(self, flags: int = 0) -> bool:
        """Send a piece of what is left; False if none is taken now. Raises OSError."""
        try:
            sent = super().send(memoryview(self.left)[:PIECE], flags | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        del self.left[:sent]
        return True
