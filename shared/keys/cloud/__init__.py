"""The keys of a deployment in Google Cloud: Cloud KMS wraps, Secret Manager keeps.

Speaks their REST interfaces and nothing else of Google's. Never imported on a local start.
"""

from shared.keys.cloud.keyring import open_keyring, over
