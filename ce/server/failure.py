"""The one way a command fails, and the exit codes.

A Failure's messages are shown to people and kept in logs of CI systems: they must never hold
the value of a secret, an API key or a token.
"""

OK, FAILED, USAGE, NOT_LOGGED_IN, TIMED_OUT, INTERRUPTED = 0, 1, 2, 4, 124, 130
READER_GONE = 141  # as a shell says of SIGPIPE
# Codes of our own, for what is missing and was not asked of the server: one, and something in one.
NONE, WITHIN = "none", "nothing_within"
EXIT_CODES = {
    OK: "done",
    FAILED: "failed, or a question was answered with no",
    USAGE: "not understood: nothing was asked of the server",
    NOT_LOGGED_IN: "not logged in, or the server does not know the key",
    TIMED_OUT: "the wait timed out; what was begun goes on",
    INTERRUPTED: "interrupted (Ctrl-C); what was begun goes on",
    READER_GONE: "who read standard output went away, as 'head' does",
}


class Declined(Exception):
    """The answer to a confirmation was not yes: nothing was done."""


class Failure(Exception):
    """What went wrong, one message a line, and what the server said of it.

    `status` is its HTTP status, `code` its word for the error (the status, if it had none),
    `retry_after` the seconds it asked for, `trace` what its log has it under, `location` what it is
    about. `lost` says that what was asked may have been done, for only the answer did not come.
    `detail` is shown below the messages as it is laid out; `told` is whether people were shown it.
    """

    def __init__(
        self,
        *messages: str,
        exit_code: int = FAILED,
        status: int = 0,
        code: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.exit_code = exit_code
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = ""
        self.trace = ""
        self.location = ""
        self.lost = False
        self.told = False

    def saying(self, *messages: str, exit_code: int | None = None) -> "Failure":
        """Give the same failure in other words."""
        code = self.exit_code if exit_code is None else exit_code
        told = Failure(*messages, exit_code=code, status=self.status, code=self.code)
        told.retry_after, told.trace = self.retry_after, self.trace
        return told
