"""Run the tests of the plugin loader on the pluggy that lies in a folder.

`PYTHONPATH=folder python tests/loader.py folder "==1.6.0"`, with a pluggy that fits in `folder`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pluggy
import pytest
from packaging.specifiers import SpecifierSet

TESTS = ("tests/test_plugins.py", "tests/test_plugin_hooks.py")


def main(folder: str, wanted: str) -> int:
    """Prove which pluggy runs, then return the exit status of the tests."""
    found, version = Path(pluggy.__file__).resolve(), pluggy.__version__
    if not found.is_relative_to(Path(folder).resolve()) or version not in SpecifierSet(wanted):
        print(f"pluggy {version} from {found} is not the one that was wanted: {wanted}")
        return 1
    print(f"on pluggy {version}", flush=True)
    root = Path(__file__).resolve().parent.parent
    return int(pytest.main(["-q", "--no-header", *(str(root / test) for test in TESTS)]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
