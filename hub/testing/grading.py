"""Run the kits of plugins and write down what they came to: python -m hub.testing.grading."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hub.plugins import Plugin, Plugins
from hub.testing.grades import Outcome, Run

SECONDS = 600
"""That the checks of one plugin may take."""


def run_kit(plugin: str, folder: Path, keep: bool = False) -> list[Run]:
    """Run the checks that stand in `folder` for a plugin's connectors, in a process of their own.

    With `keep`, the settings of this version are put beside the tests first. Raise `OSError` with
    what pytest said where it could not run them.
    """
    return run_kits({plugin: folder}, keep)[plugin]


def run_kits(folders: dict[str, Path], keep: bool = False) -> dict[str, list[Run]]:
    """Run the checks of several plugins in one process; `folders` says by name where they stand."""
    with tempfile.TemporaryDirectory() as made:
        told = Path(made) / "runs.json"
        kits = [f"{name}={folder.resolve()}" for name, folder in folders.items()]
        words = [str(told), *kits, *(["--keep"] if keep else [])]
        done = subprocess.run(
            [sys.executable, "-m", "hub.testing.grading", *words],
            capture_output=True, text=True, timeout=SECONDS * len(folders),
        )  # fmt: skip
        if not told.exists():
            where = " and ".join(map(str, dict.fromkeys(folders.values())))
            raise OSError(f"the checks in {where} did not run:\n{done.stdout}{done.stderr}")
        return {
            name: [Run.model_validate(one) for one in runs]
            for name, runs in json.loads(told.read_text()).items()
        }


class Recorder:
    """A plugin of pytest that keeps to one plugin's checks, and what became of each."""

    def __init__(self, plugin: Plugin, keep: bool) -> None:
        self.plugin = plugin
        self.keep = keep
        self.kits: dict[str, Any] = {}
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self.said: dict[tuple[str, str], str] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out every test that is no check of a connector of this plugin."""
        from hub.testing.conformance import ConnectorTests

        own = set(self.plugin.connectors.values())
        wanted = []
        for item in items:
            kit: Any = getattr(item, "cls", None) or object
            checked = issubclass(kit, ConnectorTests) and kit.connector in own
            if checked and item.originalname in kit.hub_checks:
                self.kits[kit.connector.name] = kit
                item.user_properties.append(("connector", kit.connector.name))
                item.user_properties.append(("check", item.originalname))
                wanted.append(item)
        items[:] = wanted
        if self.keep:
            for kit in self.kits.values():
                keep_settings(kit, self.plugin.version)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a result; a check with several cases holds when all of them do."""
        told = dict(report.user_properties)
        place = str(told["connector"]), str(told["check"])
        if report.failed:
            self.outcomes[place] = "failed"
            crash = getattr(report.longrepr, "reprcrash", None)
            text = crash.message if crash else str(report.longrepr)
            self.said.setdefault(place, text.removeprefix("AssertionError: ")[:500])
        elif report.when == "call" or report.skipped:
            self.outcomes.setdefault(place, "passed" if report.passed else "failed")

    def runs(self) -> list[Run]:
        """Return what the checks of each connector came to."""
        from hub.testing.conformance import CHECKS
        from hub.testing.conformance.settings import earlier

        grades = {check.name: check.grade for check in CHECKS}
        found = []
        for name, kit in sorted(self.kits.items()):
            outcomes: dict[str, Outcome] = {
                check: "exempt" if reason else self.outcomes.get((name, check), "failed")
                for check, reason in kit.hub_checks.items()
                if grades[check]
            }
            reasons = {check: reason for check, reason in kit.hub_checks.items() if reason}
            reasons |= {c: text for (who, c), text in self.said.items() if who == name}
            found.append(
                Run(
                    connector=name, outcomes=outcomes, reasons=reasons,
                    grades={check: grades[check] for check in outcomes},
                    kept=len(list(earlier(kit))),
                )
            )  # fmt: skip
        return found


def keep_settings(kit: Any, version: str) -> None:
    """Put a connector's settings beside its tests, as this version saves them."""
    from hub.testing.conformance.settings import folder

    path = folder(kit) / f"{kit.connector.name}-{version}.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(kit.config, indent=2, sort_keys=True, default=str)
        path.write_text(f"{text}\n", encoding="utf-8")


class Recorders:
    """A plugin of pytest that lets several plugins' recorders listen to one run."""

    def __init__(self, recorders: list[Recorder]) -> None:
        self.recorders = recorders

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out every test that is no check of any of these plugins."""
        wanted = []
        for recorder in self.recorders:
            own = list(items)
            recorder.pytest_collection_modifyitems(own)
            wanted += own
        items[:] = wanted

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a result where its connector belongs."""
        connector = dict(report.user_properties)["connector"]
        for recorder in self.recorders:
            if connector in recorder.kits:
                recorder.pytest_runtest_logreport(report)


def main(words: list[str]) -> int:
    """Run the checks of plugins (words of `name=folder`); write what they came to, by name."""
    import pytest

    told, *kits = [word for word in words if word != "--keep"]
    folders = dict(kit.split("=", 1) for kit in kits)
    plugins = Plugins().plugins
    recorders = {name: Recorder(plugins[name], "--keep" in words) for name in folders}
    given = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-o", "addopts="]
    places = list(dict.fromkeys(folders.values()))
    ended = pytest.main([*given, *places], plugins=[Recorders(list(recorders.values()))])
    if ended in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        runs = {
            name: [run.model_dump(mode="json") for run in recorder.runs()]
            for name, recorder in recorders.items()
        }
        Path(told).write_text(json.dumps(runs))
    return int(ended)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
