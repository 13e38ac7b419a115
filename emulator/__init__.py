"""The local host: public Firestore emulator, functions, events and schedules on one machine.

It moves bytes and time. It knows nothing of projects or secrets, imports nothing of ours, and
reads functions/functions.yaml and firebase.json as data.
"""

VERSION = "0.1.0"
ACCOUNT = "createAccount"  # the private function that makes an account and its key
KEYS = "rotateKeys"  # the private function that takes one step of a key rotation
RETENTION, WAKE = "enforceRetention", "/wake"  # the schedule, and where it sends events again
# The private functions that take a migration's steps.
SIGN, RESEAL, VOUCH = "signKeys", "resealValues", "vouchProjects"


class Refused(Exception):
    """What the user asked cannot be done; the message is one clear sentence for the terminal."""
