"""Waiting for what the server does after it has answered: asked again and again, ever slower."""

import time
from collections.abc import Callable

from ce.server.failure import TIMED_OUT, Failure
from ce.text import spinner, words

SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


def until(
    goal: frozenset[str],
    status: Callable[[], str],
    doing: str,
    more: str,
    *,
    seconds: int,
    quiet: bool,
) -> None:
    """Ask until the goal is reached. Raises Failure if the time is up, or if it failed.

    `doing` says what is waited for; `more` is the command that shows why it failed.
    """
    end = time.monotonic() + seconds
    pause = SHORTEST_PAUSE
    with spinner(doing, quiet=quiet) as sleep:
        while (reached := status()) not in goal:
            if reached.endswith("failed"):
                raise Failure(f"It ended as '{words(reached)}'. '{more}' shows more.")
            left = end - time.monotonic()
            if left <= 0:
                raise Failure(
                    f"Timed out after {seconds} seconds of waiting {doing}; it is "
                    f"'{words(reached)}' and goes on without us. --wait-timeout waits for longer.",
                    exit_code=TIMED_OUT,
                )
            sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
