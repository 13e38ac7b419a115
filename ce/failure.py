"""The one way a command fails, and the exit codes.

A Failure's messages are shown to people and kept in logs of CI systems: they must never hold
the value of a secret, an API key or a token.
"""

OK, FAILED, USAGE, NOT_LOGGED_IN, TIMED_OUT, INTERRUPTED = 0, 1, 2, 4, 124, 130


class Declined(Exception):  # noqa: N818 - nothing went wrong
    """The answer to a confirmation was not yes: nothing was done."""


class Failure(Exception):  # noqa: N818 - named as the user sees it: FAILED
    """What went wrong, one message a line; `status` is the HTTP status that said so."""

    def __init__(self, *messages: str, exit_code: int = FAILED, status: int = 0) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.exit_code = exit_code
        self.status = status
