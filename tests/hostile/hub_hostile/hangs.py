"""A plugin whose import does not end, whatever ordinary errors reach it."""

import time

while True:
    try:
        time.sleep(3600)
    except Exception:
        continue
