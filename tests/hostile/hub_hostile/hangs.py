"""A plugin whose import does not end, whatever ordinary errors reach it."""

import signal
import time

if signal.getitimer(signal.ITIMER_REAL)[0]:  # the hub's limit runs: let it be over soon
    signal.setitimer(signal.ITIMER_REAL, 0.05)
while True:
    try:
        time.sleep(3600)
    except Exception:
        continue
