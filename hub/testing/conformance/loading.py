"""Checks of a plugin before any call: it is found, it loads, and loading it costs nothing."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from typing import Any

from hub.contract import CAPABILITY
from hub.plugins import Plugins
from hub.testing.conformance.checks import demand, place
from hub.testing.conformance.ground import Ground

SECONDS = 0.5
"""Of the processor, for importing a plugin into a process where the hub is loaded."""
PROBE = """
import json, sys, threading, time
import hub.hub, hub.plugins, hub.http, hub.planning.check, pydantic
done = []
def watch(event, given):
    if event == "open":
        mode, flags = given[1], given[2] or 0
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (mode is None and flags & 3):
            done.append(f"opened {given[0]} to write")
    elif event in EVENTS:
        done.append(EVENTS[event])
EVENTS = {
    "socket.connect": "opened a connection", "socket.bind": "opened a port",
    "socket.getaddrinfo": "looked up a host", "subprocess.Popen": "started a process",
    "os.system": "ran a command", "os.fork": "forked", "os.mkdir": "made a folder",
    "os.remove": "removed a file", "os.rename": "renamed a file",
}
def noted(begin):
    def run(*given, **named):
        done.append("started a thread")
        return begin(*given, **named)
    return run
for name in ("_start_new_thread", "_start_joinable_thread"):
    if hasattr(threading, name):
        setattr(threading, name, noted(getattr(threading, name)))
before = set(sys.modules)
sys.addaudithook(watch)
began = time.process_time()
__import__(MODULE)
seconds = time.process_time() - began
loaded = sorted(set(sys.modules) - before)
print(json.dumps({"done": sorted(set(done)), "seconds": seconds, "loaded": loaded}))
"""
Imported = dict[str, Any]


class LoadingTests(Ground):
    """What holds before the first call."""

    def test_its_plugin_is_installed_and_loads(self) -> None:
        """An installed distribution names its module under the entry points of the group `hub`."""
        name = self.connector.name
        plugins = installed()
        plugin = plugins.owner(name)
        broken = {p.name: p.error for p in plugins.plugins.values() if p.error}
        demand(
            plugin is not None,
            f"no installed plugin brings the connector {name}: return the class from its hook, "
            'write [project.entry-points.hub] into pyproject.toml, and "pip install -e ." again; '
            f"plugins that did not load: {broken or 'none'}",
        )
        assert plugin is not None
        demand(
            plugin.connectors[name] is self.connector,
            f"the installed plugin {plugin.name} brings another class under the name {name}; "
            "give the connector a name of its own",
        )

    def test_it_can_do_what_its_hooks_promise(self) -> None:
        """Every hook that returns the class finds the methods that it calls, with their values."""
        plugin = installed().owner(self.connector.name)
        kinds = plugin.kinds[self.connector.name] if plugin else set()
        demand(
            plugin is None or (kinds and kinds <= set(CAPABILITY)),
            f"no hook returns {self.connector.__qualname__}{place(self.connector)}; return it from "
            f"one of {', '.join(CAPABILITY)}",
        )

    def test_it_says_what_it_is(self) -> None:
        """It has a short name for programs and a title for people."""
        kind = self.connector
        where = f"{kind.__qualname__}{place(kind)}"
        fit = kind.name.replace("_", "").isalnum() and kind.name.islower() and len(kind.name) <= 40
        demand(fit, f"{where}: name = {kind.name!r} has to be small letters, digits and _")
        demand(kind.title.strip(), f"{where} has no title; add title = '...' for people")

    def test_importing_it_is_light(self) -> None:
        """Its SDK is imported inside the methods that use it, and named in `sdk`."""
        module = self.connector.__module__
        slow = {name.split(".")[0] for name in self.connector.sdk} - {module.split(".")[0]}
        loaded = {name.split(".")[0] for name in imported(module)["loaded"]}
        demand(
            not slow & loaded,
            f"importing {module} imports {', '.join(sorted(slow & loaded))}; import it inside the "
            "methods that use it, so that the hub starts quickly",
        )

    def test_importing_it_is_quick(self) -> None:
        """Importing it takes less than half a second of the processor."""
        module = self.connector.__module__
        seconds = imported(module)["seconds"]
        demand(
            seconds < SECONDS,
            f"importing {module} takes {seconds:.2f} s of the processor, {SECONDS} s are allowed; "
            "move the import of what is slow into the methods and name it in sdk = (...)",
        )

    def test_importing_it_does_nothing(self) -> None:
        """Importing it starts no thread or process, opens no connection and writes no file."""
        module = self.connector.__module__
        done = imported(module)["done"]
        demand(
            not done,
            f"importing {module} {' and '.join(done)}; do that inside a method, when it is called",
        )


@functools.cache
def installed() -> Plugins:
    """Return what is installed; that does not change while tests run."""
    return Plugins()


@functools.cache
def imported(module: str) -> Imported:
    """Import a module in a process of its own, and return what that did."""
    code = f"MODULE = {module!r}\n{PROBE}"
    told = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=120
    )
    demand(
        told.returncode == 0,
        f"{module} cannot be imported by itself: {told.stderr[-500:]}; install its distribution, "
        "so that the module is found without the tests",
    )
    found: Imported = json.loads(told.stdout.splitlines()[-1])
    return found
