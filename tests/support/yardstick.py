"""How fast this machine's processor is, beside the one that limits in seconds are of."""

import json
import time
from hashlib import sha256

# Seconds of a processor that `slowness` measures on the machine that limits are of.
YARDSTICK = 0.07
TABLE = {str(number): [number] * 5 for number in range(2000)}


def slowness(yardstick=YARDSTICK):
    """Give how many times slower this machine's processor is at a work of known size; 1 at least.

    The quickest of five is what the processor can do.
    """

    def once():
        began = time.process_time()
        for _ in range(20):
            sha256(json.dumps(json.loads(json.dumps(TABLE))).encode()).digest()
        return time.process_time() - began

    return max(1.0, min(once() for _ in range(5)) / yardstick)
