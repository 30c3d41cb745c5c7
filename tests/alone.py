"""Run tests of the core where no plugin is installed, and then with each plugin alone.

`python tests/alone.py [--whole] [plugin ...]`; `-` is none, and without words it is none and then
each.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
BOTH = (
    "tests/connections", "tests/test_plugins.py", "tests/test_plugin_hooks.py",
    "tests/web/test_admin.py", "tests/workflow/test_checks.py", "tests/workflow/test_effects.py",
    "tests/workflow/test_pulls.py",
)  # fmt: skip
"""Where the core meets plugins most: run with each of them."""
MORE = {"sms": ("tests/notify",)}
"""What else of the core meets one plugin."""
WITHOUT = (
    *BOTH, "tests/access", "tests/builtin", "tests/fleet", "tests/notify", "tests/orders",
    "tests/proofs", "tests/test_http.py", "tests/testing", "tests/tracking/test_devices.py",
    "tests/web/admin", "tests/web/test_app.py", "tests/workflow/test_engine.py",
    "tests/workflow/test_library.py", "tests/workflow/test_optional.py",
    "tests/workflow/test_shipped.py", "tests/workflow/test_steps.py",
    "tests/workflow/test_trackers.py", "--ignore=tests/testing/test_faults.py",
)  # fmt: skip
"""Run where there is none; the faults bring their own plugins and see no others.

`--whole` runs all tests there that need no browser and kill nothing.
"""
LEFT_OUT = "not demo and not chaos and not e2e"


def hidden(plugins: list[str]) -> set[str]:
    """Return what has to be missing in site-packages so that those plugins are not installed.

    That is the plugin itself, and the SDKs that only it asks for.
    """
    found: set[str] = set()
    for plugin in plugins:
        own = distribution(f"hub-{plugin}")
        found |= entries(own)
        for needed in own.requires or ():
            name = re.split(r"[^\w.-]", needed)[0]
            if "extra ==" not in needed and name not in shared():
                found |= entries(distribution(name))
    return found


def shared() -> set[str]:
    """Return the distributions that the core asks for itself."""
    return {re.split(r"[^\w.-]", one)[0] for one in distribution("lastmile-hub").requires or ()} | {
        "lastmile-hub"
    }


def entries(found: Distribution) -> set[str]:
    """Return what a distribution puts directly into site-packages."""
    return {Path(str(file)).parts[0] for file in found.files or () if ".." not in str(file)}


def lay(place: Path, plugins: list[str]) -> Path:
    """Make an environment like this one in which of all plugins only `plugins` are installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    away = hidden([name for name in PLUGINS if name not in plugins])
    here = Path(sysconfig.get_path("purelib"))
    there = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    for entry in here.iterdir():
        if entry.name not in away:
            (there / entry.name).symlink_to(entry)
    for script in Path(sys.executable).parent.iterdir():
        target = place / "bin" / script.name
        if not target.exists():
            target.write_bytes(
                script.read_bytes().replace(sys.prefix.encode(), str(place).encode())
            )
            target.chmod(0o755)
    return place / "bin" / "python"


def installed(python: Path) -> list[str]:
    """Return which plugins of the repository a Python finds, and check that the core loads."""
    code = (
        "from hub.plugins import Plugins\n"
        "found = Plugins().plugins.values()\n"
        "assert not [p for p in found if p.error], found\n"
        "print(*sorted({p.distribution for p in found} - {'lastmile-hub'}))"
    )
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd="/")
    return done.stdout.split()


def chosen(plugins: list[str]) -> tuple[str, ...]:
    """Return which tests of the core are run with those plugins."""
    more = (path for name in plugins for path in MORE.get(name, ()))
    return (*BOTH, *more) if plugins else WITHOUT


def run(plugins: list[str], whole: bool) -> int:
    """Run the tests with those plugins alone; return pytest's exit status."""
    core = ("tests",) if whole else chosen(plugins)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="alone-") as folder:
        python = lay(Path(folder) / "env", plugins)
        assert installed(python) == [f"hub-{name}" for name in plugins], installed(python)
        own = [f"plugins/{name}/tests" for name in plugins]
        words = ["-q", "--no-header", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile"]
        done = subprocess.run(
            [python, "-m", "pytest", *words, "-m", LEFT_OUT, *core, *own], cwd=ROOT, check=False
        )
    print(f"with {plugins or 'no plugin'}: {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode


def main(words: list[str]) -> int:
    """Run what is asked for; return how many of them failed."""
    whole = "--whole" in words
    named = [word for word in words if word != "--whole"]
    wanted = [[] if word == "-" else [word] for word in named or ["-", *PLUGINS]]
    return sum(run(plugins, whole) != 0 for plugins in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
