"""A plugin whose import wants to end the process."""

raise SystemExit("the hub shall end")
