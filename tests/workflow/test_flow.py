"""Blocks: side by side, item by item, one way of several; and what is taken back."""

from __future__ import annotations

from hub.errors import Rejected
from hub.store import RunRow
from tests.workflow.conftest import Toys

HEAD = "workflow: flow\non: [{event: order.received}]\n"


def write(id: str, text: str, more: str = "") -> str:
    """Return a step that writes a text."""
    return f'{{id: {id}, use: toy.write, with: {{text: "{text}"}}{more}}}'


def begin(toys: Toys, steps: str, head: str = HEAD) -> RunRow:
    """Run a workflow of these steps for one order."""
    toys.save(f"{head}steps:\n{steps}")
    toys.order_comes()
    toys.work()
    return toys.run()


def test_branches_are_all_done_before_the_step_after_them(toys: Toys) -> None:
    run = begin(
        toys,
        f"""
  - parallel:
      - {write("a", "a")}
      - steps: [{write("b", "b1")}, {write("c", "after {{ steps.b.output.length }}")}]
  - {write("d", "sum {{ steps.a.output.length + steps.c.output.length }}")}
""",
    )
    assert run.state == "succeeded"
    assert toys.texts()[-1] == "sum 8"
    assert sorted(toys.texts()[:-1]) == ["a", "after 2", "b1"]
    assert sorted(toys.steps()) == ["d", "parallel1", "parallel1.a", "parallel1.b", "parallel1.c"]


def test_a_branch_that_fails_waits_for_the_others_and_fails_the_run(toys: Toys) -> None:
    toys.inside_errors.append(Rejected("no"))
    run = begin(
        toys, f"  - parallel: [{write('a', 'a')}, {write('b', 'b')}]\n  - {write('c', 'c')}"
    )
    assert run.state == "failed"
    assert run.error["step"] == "parallel1.a"
    assert toys.steps()["parallel1.b"].state == "done"
    assert "c" not in toys.steps()


def test_the_first_case_that_holds_is_taken(toys: Toys) -> None:
    run = begin(
        toys,
        f"""
  - choose:
      - if: event.order.total_minor > 99999
        steps: [{write("much", "much")}]
      - if: event.order.total_minor > 100
        steps: [{write("some", "some")}, {write("more", "and more")}]
      - else: true
        steps: [{write("none", "none")}]
  - {write("end", "{{ has(steps.some.output) }} {{ has(steps.none.output) }}")}
""",
    )
    assert run.state == "succeeded"
    assert toys.texts() == ["some", "and more", "true false"]


def test_no_case_that_holds_is_no_failure(toys: Toys) -> None:
    run = begin(toys, f"  - choose: [{{if: 1 > 2, steps: [{write('a', 'a')}]}}]")
    assert (run.state, toys.texts()) == ("succeeded", [])


def test_a_loop_does_its_steps_for_every_item_and_gathers_what_they_gave(toys: Toys) -> None:
    each = write("one", "no {{ it.value }}")
    run = begin(
        toys,
        f"""
  - foreach: {{in: "[1, 2, 3]", as: it, max_parallel: 2}}
    steps: [{each}, {write("two", "{{ steps.one.output.length }} of {{ it.value }}")}]
  - {write("end", "all {{ size(steps.two.outputs) }}")}
""",
    )
    assert run.state == "succeeded"
    assert toys.texts()[-1] == "all 3"
    assert {text for text in toys.texts() if " of " in text} == {f"4 of {n}" for n in (1, 2, 3)}
    assert "foreach1[2].two" in toys.steps()


def test_no_more_items_are_begun_at_once_than_allowed(toys: Toys) -> None:
    toys.save(
        HEAD + 'steps:\n  - foreach: {in: "[1, 2, 3, 4]", max_parallel: 2}\n'
        "    steps: [{id: pause, delay: 1h}, " + write("one", "n {{ item.value }}") + "]\n"
    )
    toys.order_comes()
    toys.work()
    begun = [path for path in toys.steps() if path.endswith("pause")]
    assert begun == ["foreach1[0].pause", "foreach1[1].pause"]
    toys.later(hours=1, seconds=1)
    toys.later(hours=1, seconds=1)
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["n 1", "n 2", "n 3", "n 4"]


def test_an_item_that_fails_stops_the_loop_or_not_as_the_workflow_says(toys: Toys) -> None:
    for word, state, count in (("stop", "failed", 1), ("continue", "succeeded", 3)):
        toys.inside_errors[:] = [Rejected("no")]
        toys.save(
            f"workflow: {word}\non: [{{event: order.received}}]\nsteps:\n"
            f'  - foreach: {{in: "[1, 2, 3]", on_item_error: {word}}}\n'
            f"    steps: [{write('one', 'x')}]\n"
        )
        toys.order_comes()
        toys.work()
        run = next(row for row in toys.rows(RunRow) if row.workflow == word)
        assert run.state == state
        begun = [p for p, s in toys.steps().items() if p.endswith("one") and s.run == run.id]
        assert len(begun) == count
        with toys.hub.store.write() as session:
            from hub.store import WorkflowRow

            session.get_one(WorkflowRow, word).enabled = False


def test_what_was_done_is_taken_back_the_latest_first_when_the_run_fails(toys: Toys) -> None:
    undo = ', undo: {{use: toy.write, with: {{text: "take back {0}"}}}}'
    toys.save(
        f"{HEAD}steps:\n  - {write('a', 'a', undo.format('a'))}\n"
        f"  - {write('b', 'b', undo.format('b'))}\n"
        '  - {id: c, use: toy.write, with: {text: "x {{ 1 / 0 }}"}}\n'
        'on_error: [{use: toy.write, with: {text: "told: {{ error.step }}"}}]\n'
    )
    toys.order_comes()
    toys.work()
    assert toys.run().state == "failed"
    assert toys.texts() == ["a", "b", "take back b", "take back a", "told: c"]


def test_another_action_is_done_where_the_condition_does_not_hold(toys: Toys) -> None:
    other = ', if: 1 > 2, else: {use: toy.write, with: {text: "instead"}}'
    run = begin(toys, f"  - {write('a', 'a', other)}")
    assert (run.state, toys.texts()) == ("succeeded", ["instead"])


def test_a_shadow_run_goes_its_way_and_does_nothing(toys: Toys) -> None:
    toys.connect()
    send = "{id: b, use: toy.send, with: {to: x, text: y}}"
    run = begin(toys, f"  - {write('a', 'a')}\n  - {send}", HEAD + "mode: shadow\n")
    assert run.state == "succeeded"
    assert toys.texts() == []
    assert toys.effects() == []
    assert toys.steps()["a"].input == {"text": "a"}


def test_a_step_that_came_too_late_is_skipped(toys: Toys) -> None:
    toys.save(f"{HEAD}steps: [{{delay: 10m}}, {write('a', 'a', ', expires_in: 5m')}]")
    toys.order_comes()
    toys.work()
    toys.later(minutes=11)
    assert toys.steps()["a"].state == "skipped"
    assert toys.run().state == "succeeded"


def test_all_runs_with_one_key_make_one_call(toys: Toys) -> None:
    toys.connect()
    toys.save(
        HEAD + "steps: [{id: a, use: toy.send, with: {to: x, text: y}, "
        'idempotency: "pod:{{ event.order.id }}"}]'
    )
    for _ in range(2):
        toys.order_comes()
        toys.work()
    assert [row.state for row in toys.rows(RunRow)] == ["succeeded", "succeeded"]
    assert len(toys.effects()) == 1
