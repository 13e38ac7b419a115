"""Round trips, counted: what a test holds exactly."""

RPCS = ("batch_get_documents", "commit", "run_query")


class Counting:
    """Firestore's client, counting the calls that go through it."""

    def __init__(self, api):
        self.api = api
        self.calls = []

    def __getattr__(self, name):
        target = getattr(self.api, name)
        if name not in RPCS:
            return target

        def counted(*args, **kwargs):
            self.calls.append(name)
            return target(*args, **kwargs)

        return counted
