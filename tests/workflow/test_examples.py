"""The `tests:` of a workflow file: run in memory, with the engine's own decisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.actions import Action
from hub.store import EffectRow, EventRow, RunRow
from hub.workflow.checker import check
from hub.workflow.examples import Outcome, run_file
from hub.workflow.problem import Invalid

from .conftest import Toys

WORKFLOW = """\
workflow: tested
on: [{event: order.received, if: event.order.total_minor > 100}]
quiet_hours: {from: "21:00", to: "07:00", tz: Europe/Vaduz}
inputs: {greeting: {default: Hello}}
steps:
  - {id: note, use: toy.write, with: {text: "{{ inputs.greeting }} {{ event.customer.name }}"}}
  - id: near
    wait: {event: stop.approaching, match: "event.order.id == trigger.order.id"}
  - id: late
    if: steps.near.timed_out
    use: toy.write
    with: {text: late}
  - foreach: {in: "['a', 'b']"}
    steps: [{id: each, use: toy.write, with: {text: "{{ item.value }}"}}]
  - {id: send, use: toy.send, with: {to: x, text: "{{ steps.note.output.id }}"},
     undo: {use: toy.write, with: {text: undone}}}
on_error: [{use: toy.write, with: {text: "{{ error.message }}"}}]
tests:
"""
GIVEN = (
    "given: {event: order.received, order: {id: ord_1, total_minor: 500}, customer: {name: Rosa}"
)


def outcomes(tmp_path: Path, actions: dict[str, Action], *tests: str) -> list[Outcome]:
    file = tmp_path / "tested.yaml"
    file.write_text(WORKFLOW + "".join(f"  - {{name: t, {test}}}\n" for test in tests))
    return run_file(file, actions)


def faults(tmp_path: Path, actions: dict[str, Action], test: str) -> tuple[str, ...]:
    return outcomes(tmp_path, actions, test)[0].faults


@pytest.mark.parametrize("test", [
    GIVEN + "}, expect: {started: true, state: succeeded, "
    "steps: [note, near, late, each, each, send]}",
    GIVEN + "}, mock: {near: {event: {stop: {id: s}}}}, expect: {skipped: [late]}",
    GIVEN + "}, expect: {with: {note: {text: Hello Rosa}, each: {text: a}}}",
    GIVEN + ", inputs: {greeting: Salut}}, expect: {with: {note: {text: Salut Rosa}}}",
    GIVEN + "}, mock: {note: {id: n-7}}, expect: {with: {send: {text: n-7}}}",
    GIVEN + '}, mock: {send: {error: {kind: rejected, message: "no"}}}, '
    "expect: {state: failed, error: {step: send, message: 'no'}}",
    GIVEN + ', at: "2026-12-01T23:00:00+01:00"}, expect: {started: false, reason: quiet hours}',
    "given: {event: order.received, order: {total_minor: 5}}, expect: {started: false}",
])  # fmt: skip
def test_what_holds_passes(tmp_path: Path, actions: dict[str, Action], test: str) -> None:
    assert faults(tmp_path, actions, test) == ()


@pytest.mark.parametrize(("test", "fault"), [
    (GIVEN + "}, expect: {started: false}", "started: expected False, got True"),
    (GIVEN + "}, expect: {with: {note: {text: Hi}}}",
     "with.note.text: expected 'Hi', got 'Hello Rosa'"),
    (GIVEN + "}, expect: {state: failed}", "state: expected 'failed', got 'succeeded'"),
    (GIVEN + "}, expect: {skipped: [late]}", "skipped: expected ['late'], got []"),
])  # fmt: skip
def test_what_does_not_hold_is_told(
    tmp_path: Path, actions: dict[str, Action], test: str, fault: str
) -> None:
    assert faults(tmp_path, actions, test) == (fault,)


@pytest.mark.parametrize(("test", "said"), [
    ("given: {event: order.recieved}, expect: {}", "'order.recieved' does not start"),
    ("given: {event: order.received, ordr: {}}, expect: {}", "did you mean 'order'?"),
    (GIVEN + "}, mock: {noet: {}}, expect: {}", "there is no step 'noet'; did you mean 'note'?"),
    (GIVEN + "}, expect: {stat: failed}", "'stat' cannot be expected; did you mean 'state'?"),
    (GIVEN + "}, expect: {steps: [nte]}", "there is no step 'nte'"),
    ("given: {event: order.received, order: {idd: 1}}, expect: {}", "did you mean 'id'?"),
    ("given: {event: order.received, order: 7}, expect: {}", "has to be a mapping"),
    ("given: {event: order.received, at: nonsense}, expect: {}", "has to be a moment"),
    (GIVEN + "}, mock: {note: {idd: 1}}, expect: {}", "note cannot give 'idd'; did you mean 'id'"),
    (GIVEN + "}, expect: {with: {note: {txt: a}}}", "takes no 'txt'; did you mean 'text'?"),
    (GIVEN + "}, expect: {with: [note]}", "has to be a mapping"),
])  # fmt: skip
def test_a_word_that_means_nothing_is_a_mistake_at_its_place(
    tmp_path: Path, actions: dict[str, Action], test: str, said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        outcomes(tmp_path, actions, test)
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.line == WORKFLOW.count("\n") + 1
    assert problem.column > 5


def test_nothing_is_written(tmp_path: Path, toys: Toys) -> None:
    outcomes(tmp_path, toys.hub.actions, GIVEN + "}, expect: {state: succeeded}")
    assert [toys.rows(table) for table in (RunRow, EffectRow, EventRow)] == [[], [], []]
    assert toys.texts() == []


FLOWS = [
    "[{parallel: [{id: a, use: toy.write, with: {text: a}}, {id: b, use: toy.write, "
    "with: {text: b}}]}, {id: c, use: toy.write, with: {text: c}}]",
    "[{id: a, if: 1 > 2, use: toy.write, with: {text: a}, "
    "else: {use: toy.write, with: {text: other}}}, {id: b, if: 1 > 2, use: toy.write, "
    "with: {text: b}}]",
    "[{choose: [{if: event.order.total_minor > 1, steps: [{id: a, use: toy.write, "
    "with: {text: a}}]}, {else: true, steps: [{id: b, use: toy.write, with: {text: b}}]}]}]",
    "[{foreach: {in: '[1, 2, 3]', max_parallel: 2}, steps: [{id: a, use: toy.write, "
    "with: {text: 'n {{ item.value }}'}}, {id: b, if: item.value == 2, use: toy.write, "
    "with: {text: '{{ steps.a.output.id }}'}}]}]",
    "[{id: a, use: toy.write, with: {text: a}, undo: {use: toy.write, with: {text: undone}}}, "
    "{id: b, use: toy.write, with: {text: 'x {{ 1 / 0 }}'}}]",
]


@pytest.mark.parametrize("steps", FLOWS)
def test_a_rehearsal_takes_the_path_of_the_engine(toys: Toys, steps: str) -> None:
    """Which steps ended how, is the same on rows in memory and on rows of the database."""
    from hub.workflow.rehearsal import rehearse, staged

    text = f"workflow: flow\non: [{{event: order.received}}]\nsteps: {steps}\n"
    text += "on_error: [{use: toy.write, with: {text: rescue}}]\n"
    toys.save(text)
    toys.order_comes()
    toys.work()
    program = check(text, toys.hub.actions)
    (event,) = toys.rows(EventRow, type="order.received")
    stage = rehearse(staged(program.courses[event.type], event), lambda path, move: None)
    real = {path: (row.state, row.number) for path, row in toys.steps().items()}
    assert {path: (row.state, row.number) for path, row in stage.steps.items()} == real
    assert stage.run.state == toys.run().state


def test_the_command_prints_a_summary_and_exits_1_on_a_failure(tmp_path: Path) -> None:
    from hub.cli.rehearsals import run_tests

    good = "workflow: flagged\non: [{event: stop.failed}]\nsteps:\n  - id: flag\n"
    good += "    use: dispatch.flag\n    with: {kind: x, text: y}\ntests:\n"
    good += "  - {name: starts, given: {event: stop.failed}, expect: {started: %s}}\n"
    (tmp_path / "a.yaml").write_text(good % "true")
    done = CliRunner().invoke(run_tests, [str(tmp_path)])
    assert done.exit_code == 0
    assert "1 passed, 0 failed" in done.output
    (tmp_path / "a.yaml").write_text(good % "false")
    done = CliRunner().invoke(run_tests, [str(tmp_path)])
    assert done.exit_code == 1
    assert "a.yaml:8: starts" in done.output
    assert "started: expected False, got True" in done.output
    assert "0 passed, 1 failed" in done.output


def test_a_dry_run_prints_the_way_and_what_each_step_is_given(tmp_path: Path) -> None:
    from hub.cli.rehearsals import run_dry

    (tmp_path / "a.yaml").write_text(
        "workflow: flagged\non: [{event: stop.failed}]\nsteps:\n"
        "  - {id: flag, use: dispatch.flag, with: {kind: x, text: '{{ event.order.ref }}'}}\n"
    )
    given = tmp_path / "given.yaml"
    given.write_text('given: {event: stop.failed, order: {ref: "1001"}}\n')
    words = [str(tmp_path / "a.yaml"), "--given", str(given)]
    done = CliRunner().invoke(run_dry, [*words, "--dry"])
    assert done.exit_code == 0, done.output
    assert 'done      flag dispatch.flag {"kind": "x", "text": "1001"}' in done.output
    assert "the run would be succeeded" in done.output
    assert CliRunner().invoke(run_dry, words).exit_code == 2
    given.write_text('given: {event: stop.failed, order: {reff: "1001"}}\n')
    done = CliRunner().invoke(run_dry, [*words, "--dry"])
    assert done.exit_code == 1
    assert "given.yaml:1:" in done.output
