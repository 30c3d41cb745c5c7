"""A grade is what a plugin's own run of the checks came to, and counts for that version alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import cli
from hub.plugins import Plugin, Plugins
from hub.testing import grades
from hub.testing.grades import Grade, Run
from hub.testing.grading import run_kits
from tests import needs
from tests.web.conftest import Browser, sign_in

__all__ = ["sign_in"]

pytestmark = needs.plugins("shopify", "woocommerce", "shipstation", "xero", "sms")

ROOT = Path(__file__).parents[2]
TESTS = {
    **{name: ROOT / "plugins" / name / "tests" for name in (
        "shopify", "woocommerce", "shipstation", "xero", "sms",
    )},
    **dict.fromkeys((
        "csv", "ortools", "pyvrp", "vroom", "straight", "nominatim", "folder",
    ),
                    ROOT / "tests" / "builtin" / "test_kit.py"),
    **{name: ROOT / "tests" / "builtin" / f"test_{file}.py" for name, file in (
        ("s3", "s3"), ("sftp", "sftp"), ("email", "mail"), ("webhook", "webhook"),
        ("traccar", "traccar"), ("valhalla", "valhalla"), ("tomtom", "traffic"),
    )},
    "osrm": ROOT / "tests" / "builtin" / "osrm" / "test_kit.py",
    "generic": ROOT / "tests" / "builtin" / "generic" / "test_kit.py",
}  # fmt: skip


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Return the plugin for texts, its module moved to where a test may write."""
    found = replace(Plugins().plugins["sms"])
    package = tmp_path / "hub_sms"
    package.mkdir()
    (package / "__init__.py").write_text('"""Nothing."""\n')
    monkeypatch.setattr(grades, "module_file", lambda _: package / "__init__.py")
    (tmp_path / "README.md").write_text("# SMS\n\n## Set up\n\n## Limits\n")
    return found


def run(**changed: Any) -> Run:
    told: dict[str, Any] = {
        "connector": "sms",
        "outcomes": {"test_a": "passed", "test_b": "passed"},
        "grades": {"test_a": "bronze", "test_b": "silver"},
        "kept": 1,
    }
    return Run.model_validate({**told, **changed})


def test_what_holds_everywhere_is_gold(plugin: Plugin) -> None:
    found = grades.compute(plugin, [run()])
    assert (found.grade, found.checks, found.missing) == ("gold", 2, {})


@pytest.mark.parametrize(
    ("failed", "grade"), [("test_a", ""), ("test_b", "bronze")], ids=["loading", "its kind"]
)
def test_a_failed_check_keeps_from_its_grade_and_says_why(
    plugin: Plugin, failed: str, grade: str
) -> None:
    outcomes = {**run().outcomes, failed: "failed"}
    found = grades.compute(plugin, [run(outcomes=outcomes, reasons={failed: "send the key"})])
    assert (found.grade, found.missing) == (grade, {f"sms: {failed}": "send the key"})


def test_an_exemption_is_named_and_keeps_from_gold(plugin: Plugin) -> None:
    told = run(
        outcomes={"test_a": "passed", "test_b": "exempt"}, reasons={"test_b": "it takes no key"}
    )
    found = grades.compute(plugin, [told])
    assert found.grade == "silver"
    assert found.exempt == {"sms: test_b": "it takes no key"}
    assert found.missing == {"no exemption": "exempt from test_b"}


def test_settings_that_are_not_kept_keep_from_gold(plugin: Plugin) -> None:
    assert list(grades.compute(plugin, [run(kept=0)]).missing) == ["settings kept"]


def test_a_readme_without_its_headings_keeps_from_gold(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# SMS\n\n## Limits\n")
    found = grades.compute(plugin, [run()])
    assert found.missing == {"readme": "write ## Set up into README.md"}


def test_a_function_without_types_keeps_from_gold(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "hub_sms" / "more.py").write_text("def send(self, text):\n    pass\n")
    found = grades.compute(plugin, [run()])
    assert found.missing == {"types": "write the types of more.py:1 send"}


def test_a_setting_without_help_keeps_from_gold(plugin: Plugin) -> None:
    class Bare(plugin.connectors["sms"].Config):  # type: ignore[name-defined,misc]
        """Settings with one more."""

        more: str = ""

    kind = type("Bare", (plugin.connectors["sms"],), {"name": "sms", "Config": Bare})
    found = grades.compute(replace(plugin, connectors={"sms": kind}), [run()])
    assert found.missing == {"settings described": "write Field(description=...) for sms.more"}


def test_a_connector_without_checks_is_no_grade(plugin: Plugin) -> None:
    assert list(grades.compute(plugin, []).missing) == ["tests"]
    assert list(grades.compute(plugin, [run(connector="other")]).missing) == ["tests of sms"]


def test_a_grade_counts_for_the_version_that_earned_it(plugin: Plugin) -> None:
    grades.write(plugin, grades.compute(plugin, [run()]))
    assert grades.shown(plugin) == "gold"
    assert grades.shown(replace(plugin, version="0.2.0")) == "not graded"
    assert grades.shown(replace(plugin, error="it does not load")) == "not graded"


@pytest.mark.parametrize("text", ["", "{", '{"grade": "platinum"}'])
def test_a_file_that_is_no_grade_is_none(plugin: Plugin, tmp_path: Path, text: str) -> None:
    (tmp_path / "hub_sms" / "grade.json").write_text(text)
    assert grades.shown(plugin) == "not graded"


def test_the_grade_of_a_single_module_lies_beside_it(
    plugin: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grades, "module_file", lambda _: tmp_path / "hub_acme.py")
    assert grades.place(plugin) == tmp_path / "hub_acme.grade.json"


@pytest.fixture(scope="module")
def now_run() -> dict[str, list[Run]]:
    """Run the kits of all plugins in one process; to start it costs more than most kits."""
    return run_kits(TESTS)


@pytest.mark.once
@pytest.mark.timeout(1800)  # the first waits for the kits of all
@pytest.mark.parametrize("name", TESTS)
def test_the_grade_that_is_kept_is_what_the_checks_come_to_now(
    now_run: dict[str, list[Run]], name: str
) -> None:
    plugin = Plugins().plugins[name]
    kept = grades.read(plugin)
    assert kept is not None, f"hub plugin grade {name} --tests {TESTS[name]} --write"
    now = grades.compute(plugin, now_run[name])
    words = f"hub plugin grade {name} --tests {TESTS[name].relative_to(ROOT)} --write"
    assert now == kept, f"run {words}"


def test_the_command_prints_the_grade_and_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    exempt = run(
        connector="woocommerce",
        outcomes={"test_a": "passed", "test_b": "exempt"},
        reasons={"test_b": "over http"},
    )
    monkeypatch.setattr("hub.cli.grade.run_kit", lambda *_, **__: [exempt])
    words = ["plugin", "grade", "woocommerce"]
    told = CliRunner().invoke(cli, words)
    assert told.exit_code == 0, told.output
    assert "woocommerce 0.1.0: silver" in told.output
    assert "exempt from woocommerce: test_b: over http" in told.output
    assert "to do: no exemption" in told.output
    assert Grade.model_validate_json(CliRunner().invoke(cli, [*words, "--json"]).output)


def test_what_cannot_be_graded_is_refused_by_name(tmp_path: Path) -> None:
    def said(*words: str) -> str:
        result = CliRunner().invoke(cli, ["plugin", "grade", *words])
        return f"{result.output}{result.exception}"

    assert "no plugin acme is installed" in said("acme")
    assert "the tests of csv are not beside it; say --tests FOLDER" in said("csv")
    nothing = tmp_path / "test_nothing.py"
    nothing.write_text("")
    assert "did not run" in said("sms", "--tests", str(nothing))


def test_the_list_tells_the_grades_to_people_and_programs() -> None:
    rows = json.loads(CliRunner().invoke(cli, ["plugin", "list", "--json"]).output)
    told = {row["name"]: row["grade"] for row in rows}
    assert set(rows[0]) >= {"name", "version", "kinds", "grade", "error"}
    assert told["woocommerce"] == told["sms"] == told["s3"] == "gold"
    assert "sms            0.1.0    gold" in CliRunner().invoke(cli, ["plugin", "list"]).output


def test_the_page_of_plugins_shows_them(sign_in: Browser) -> None:
    page = sign_in("ops").get("/admin/plugins").text
    assert page.count("Gold") >= len(TESTS)
