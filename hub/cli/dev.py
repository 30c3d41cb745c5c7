"""`hub plugin dev`: load a plugin that is being written whenever it is saved, test it, call it."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click

from hub.cli.calls import CALLS, FILE, Outcome, call
from hub.errors import HubError, Refused
from hub.plugins import GROUP, Plugin, Plugins

EVERY = 0.2
"""Seconds between two looks at the files."""
WATCHED = (".py", ".toml")
SKIPPED = {".git", ".venv", "venv", "build", "dist", "node_modules", "__pycache__"}


@click.command("dev")
@click.argument(
    "folder", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--call", "method", type=click.Choice(list(CALLS)),
              help="Also make this call, and record it for the tests.")  # fmt: skip
@click.option("--once", is_flag=True, help="Do it once instead of whenever a file is saved.")
@click.option("--no-tests", is_flag=True, help="Leave its tests alone.")
def dev_plugin(folder: Path, method: str | None, once: bool, no_tests: bool) -> None:
    """Load the plugin in FOLDER whenever a file of it is saved, show what it brings, run its tests.

    With --call, one method of its connector is called for real, with the settings of dev.toml
    ([settings] url = "..."; or HUB_DEV_URL and so on), and what went over the wire is written to
    tests/recorded, without what carries credentials, for tests to play back.
    """
    folder = folder.absolute()
    names = entry_points_of(folder)
    bench = Bench(folder, names, method, tests=not no_tests)
    if once:
        raise SystemExit(bench.join(bench.begin(time.time())))
    bench.watch()


def entry_points_of(folder: Path) -> dict[str, str]:
    """Return the plugins that a folder's project file names, with their modules."""
    path = folder / "pyproject.toml"
    if not path.exists():
        raise Refused(f"{folder} has no pyproject.toml; begin a plugin with hub plugin new")
    try:
        project = tomllib.loads(path.read_text()).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path}: {error}") from error
    names: dict[str, str] = project.get("entry-points", {}).get(GROUP, {})
    if not names:
        raise Refused(f"{path} names no plugin; add [project.entry-points.{GROUP}]")
    return names


class Bench:
    """Forks a fresh process for every look at the plugin, so that nothing of the last one stays."""

    def __init__(self, folder: Path, names: dict[str, str], method: str | None, *, tests: bool):
        self.folder, self.names, self.method, self.tests = folder, names, method, tests
        # What a plugin imports anyway is imported here, once, so that a fork finds it.
        for module in ("requests", "hub.nouns", "hub.actions", "hub.http", "hub.hookspecs"):
            importlib.import_module(module)

    def watch(self) -> None:
        """Begin anew whenever a file is saved, until Ctrl-C."""
        seen, child = stamps(self.folder), self.begin(time.time())
        try:
            while True:
                time.sleep(EVERY)
                now = stamps(self.folder)
                if now == seen:
                    continue
                changed = min(name for name, _ in {*now.items()} ^ {*seen.items()})
                saved = now.get(changed, time.time_ns()) / 1e9
                seen = now
                self.end(child)
                say("saved", changed)
                child = self.begin(saved)
        except KeyboardInterrupt:
            say("dev", "stopped")
        finally:
            self.end(child)

    def begin(self, since: float) -> int:
        """Fork a process that looks at the plugin; return its id. `since` is when it was saved."""
        for stale in self.folder.rglob("__pycache__"):
            shutil.rmtree(stale, ignore_errors=True)  # two saves in one second look the same to it
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            os.setpgrp()
            code = look(self, since)
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def join(self, child: int) -> int:
        """Wait for a process to end; return its exit status."""
        try:
            _, status = os.waitpid(child, 0)
        except KeyboardInterrupt:
            self.end(child)
            return 130
        return max(os.waitstatus_to_exitcode(status), 0) or int(os.WIFSIGNALED(status))

    def end(self, child: int) -> None:
        """End a process and all that it has started."""
        for group in (os.killpg, os.kill):
            try:
                group(child, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        try:
            os.waitpid(child, 0)
        except ChildProcessError:
            return


def stamps(folder: Path) -> dict[str, int]:
    """Return when each file that matters was last written, in nanoseconds."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in names:
            if name.endswith(WATCHED):
                path = os.path.join(place, name)
                try:
                    found[os.path.relpath(path, folder)] = os.stat(path).st_mtime_ns
                except OSError:
                    continue  # it is being replaced at this moment
    return found


def look(bench: Bench, since: float) -> int:
    """Load the plugin, say what it brings, call it and run its tests; return an exit status."""
    folder = bench.folder
    source = folder / "src" if (folder / "src").is_dir() else folder
    sys.path.insert(0, str(source))
    sys.dont_write_bytecode = True
    plugins = [loaded(folder, name, module) for name, module in bench.names.items()]
    seconds = time.time() - since
    for plugin in plugins:
        say(plugin.name, plugin.error or f"loaded after {seconds:.2f} s: {brings(plugin)}")
    if any(plugin.error for plugin in plugins):
        return 1
    code = 0
    if bench.method:
        code = made(plugins, bench.method, folder)
    if bench.tests:
        code = run_tests(folder, source, bench.names) or code
    return code


def loaded(folder: Path, name: str, module: str) -> Plugin:
    """Return the plugin, whose `error` begins with the file and line at fault where it fails."""
    try:
        importlib.import_module(module.partition(":")[0])
    except BaseException as error:
        made = Plugin(name=name, distribution="", version="")
        made.error = f"{where(error, folder)}{type(error).__name__}: {error}"
        return made
    plugin = Plugins([EntryPoint(name=name, value=module, group=GROUP)]).plugins[name]
    if plugin.error:
        plugin.error = f"{named(plugin.error, module, folder)}{plugin.error}"
    return plugin


def where(error: BaseException, folder: Path) -> str:
    """Return `file:line: ` of the last place in the plugin's own files that an error passed."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename, folder)}:{error.lineno}: "
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    return f"{relative(own[-1].filename, folder)}:{own[-1].lineno}: " if own else ""


def named(said: str, module: str, folder: Path) -> str:
    """Return `file:line: ` of what an error names: a hook, or a connector and its method."""
    import inspect

    found: Any = sys.modules[module.partition(":")[0]]
    for word in said.replace(":", " ").replace("(", " ").split():
        for part in word.split("."):
            inner = getattr(found, part, None) if part.isidentifier() else None
            found = inner if inspect.isfunction(inner) or inspect.isclass(inner) else found
    try:
        line = inspect.getsourcelines(found)[1] or 1
        return f"{relative(inspect.getsourcefile(found) or '', folder)}:{line}: "
    except (OSError, TypeError):
        return ""


def relative(path: str, folder: Path) -> str:
    """Return a path as seen from the plugin's folder."""
    place = Path(path)
    return str(place.relative_to(folder)) if place.is_relative_to(folder) else path


def brings(plugin: Plugin) -> str:
    """Return in a line what a plugin brings."""
    parts = [f"{name} ({', '.join(sorted(kinds))})" for name, kinds in plugin.kinds.items()]
    parts += [f"step {name}" for name in plugin.actions]
    parts += [f"function {name}()" for name in plugin.functions]
    parts += [hook for hook in ("blueprints", "commands") if hook in plugin.hooks]
    return ", ".join(parts) or "nothing yet; mark a hook with @hookimpl"


def made(plugins: list[Plugin], method: str, folder: Path) -> int:
    """Make a call, show what came of it and record it; return an exit status."""
    from hub.testing.recorded import save

    able = [p for p in plugins if any(hasattr(kind, method) for kind in p.connectors.values())]
    try:
        outcome: Outcome = call((able or plugins)[0], method, folder)
    except HubError as error:
        say(method, str(error))
        return 1
    for line in outcome.lines:
        say(method, line)
    if outcome.exchanges:
        path = folder / "tests" / "recorded" / f"{outcome.recording}.json"
        save(path, outcome.exchanges, outcome.secrets)
        count = len(outcome.exchanges)
        say(method, f"{count} exchange{'s' * (count != 1)} in {relative(str(path), folder)}")
    return int(outcome.failed)


def run_tests(folder: Path, source: Path, names: dict[str, str]) -> int:
    """Run the plugin's tests as if it were installed; return pytest's exit status."""
    if not (folder / "tests").is_dir():
        return 0
    with tempfile.TemporaryDirectory(prefix="hub-dev-") as place:
        as_installed(folder, Path(place), names)
        before = os.environ.get("PYTHONPATH", "")
        path = os.pathsep.join(part for part in (place, str(source), before) if part)
        environ = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        words = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "tests"]
        done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=folder, env=environ)
    say("tests", "green" if done.returncode == 0 else f"red; settings for calls go into {FILE}")
    return done.returncode


def as_installed(folder: Path, place: Path, names: dict[str, str]) -> None:
    """Write what makes Python find the plugin's entry points without installing it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    name, version = project.get("name", folder.name), project.get("version", "0")
    info = place / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text)
    lines = "".join(f"{point} = {module}\n" for point, module in names.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")


def say(name: str, line: str) -> None:
    """Print one line: when, about what, what."""
    click.echo(f"{time.strftime('%H:%M:%S')} {name:<10} {line}")
    sys.stdout.flush()
