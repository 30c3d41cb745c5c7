"""The hub's commands, with a web process that waits longer for connectors than machines stall."""

from hub.cli import main
from hub.testing.patience import PATIENCE
from hub.web import stopwatch

stopwatch.SECONDS = PATIENCE

if __name__ == "__main__":
    main()
