"""Documents in Firestore, and its events."""
