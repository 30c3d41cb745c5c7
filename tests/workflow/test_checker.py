"""A file with mistakes names each of them with its line and column."""

import pytest

from hub.actions import Action
from hub.hub import Hub
from hub.workflow.checker import check
from hub.workflow.library import shipped
from hub.workflow.problem import Invalid

Actions = dict[str, Action]

GOOD = """\
workflow: greet
on:
  - event: order.received
    if: event.order.total_minor > 100
steps:
  - id: note
    use: toy.write
    with: {text: "Order {{ event.order.ref }}"}
  - id: sms
    if: steps.note.output.length > 3
    use: toy.send
    with: {to: "{{ event.customer.phone }}", text: "{{ steps.note.output.id }}"}
    retry: {max: 2, backoff: fixed, delay: 10s, on: [retry]}
on_error:
  - use: toy.write
    with: {text: "{{ error.message }}"}
"""


def found(actions: Actions, text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        check(text, actions, "greet.yaml")
    return str(caught.value).split("\n")


def test_a_good_file_compiles_for_each_of_its_events(actions: Actions) -> None:
    program = check(GOOD, actions)
    assert list(program.courses) == ["order.received"]
    assert [move.path for move in program.courses["order.received"].moves.values()] == [
        "note",
        "sms",
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("workflow: greet", "workflow: Greet me", "1:11: string should match"),
        ("    if: event", "    iff: event", "4:5: unknown key 'iff'; did you mean 'if'?"),
        ("on_error:", "on_eror:", "14:1: unknown key 'on_eror'; did you mean 'on_error'?"),
        ("    retry: {max: 2", "    retry: {tries: 2", "13:13: unknown key 'tries'; known here:"),
        ("    use: toy.write\n", "    use: toy.write\n    timeout: 5s\n", "8:5: only a step"),
        ("    use: toy.write\n", "    use: toy.write\n    heartbeat: 5s\n", "8:5: only a step"),
        ("    retry: {max", "    queue: heavy\n    retry: {max", "13:5: 'queue' is chosen"),
        ("{max: 2,", "{max: two,", "13:18: input should be a valid integer"),
        ("delay: 10s", "delay: soon", "13:44: has to be a duration"),
        ("on: [retry]", "on: [retry, bad]", "13:61: input should be 'retry', 'unknown'"),
        ("order.received", "order.recieved", "3:12: there is no event 'order.recieved'; did you"),
        ("use: toy.send", "use: toy.sned", "11:10: there is no action 'toy.sned'; did you mean"),
        ("total_minor > 100", "totl > 100", "4:21: order has no field 'totl'"),
        ("total_minor > 100", "total_minor", "4:9: a condition has to be true or false"),
        ("event.order.ref", "event.order.rf", "8:40: order has no field 'rf'; did you mean 'ref'"),
        ("event.customer.phone", "steps.sms.failed", "12:26: steps has no field 'sms'"),
        ("steps.note.output.length >", "steps.note.output.size >", "10:27: output has no field"),
        ("{to: \"{{", "{too: \"{{", "12:12: toy.send takes no 'too'; did you mean 'to'?"),
        ("{text: \"Order", "{copies: x, text: \"Order", "8:20: copies: Input should be a valid"),
        (", text: \"{{ steps.note.output.id }}\"", "", "11:10: toy.send needs 'text'"),
        ("{{ steps.note.output.id }}", "{{ steps.note.output.length }}", "12:52: text: has to be"),
        ("id: sms", "id: note", "9:9: the id 'note' is taken"),
        ("    use: toy.send\n", "", "9:5: needs exactly one of use"),
        ("error.message", "eror.message", "16:22: 'eror' is unknown here; did you mean 'error'?"),
        ("error.message", "steps.note.output.idd", "16:40: output has no field 'idd'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(
    actions: Actions, old: str, new: str, expected: str
) -> None:
    assert old in GOOD
    lines = found(actions, GOOD.replace(old, new, 1))
    assert any(line.startswith(f"greet.yaml:{expected}") for line in lines), lines


def test_all_mistakes_of_a_file_come_at_once(actions: Actions) -> None:
    text = GOOD.replace("order.ref", "order.rf").replace("toy.send", "toy.sned")
    text = text.replace("error.message", "error.mesage")
    places = [line.split(": ")[0] for line in found(actions, text)]
    assert places == ["greet.yaml:8:40", "greet.yaml:11:10", "greet.yaml:16:28"]


def test_a_step_has_to_fit_every_event_that_starts_it(actions: Actions) -> None:
    text = GOOD.replace("on:\n", "on:\n  - event: plan.finished\n", 1)
    assert any("event has no field 'order'" in line for line in found(actions, text))


def test_a_file_that_is_no_mapping_is_refused(actions: Actions) -> None:
    assert found(actions, "- 1") == ["greet.yaml:1:1: has to be a mapping of keys and values"]


def test_every_shipped_workflow_compiles_with_the_actions_of_the_hub(hub: Hub) -> None:
    from hub.workflow.parts import assemble

    assemble(hub)
    files = sorted(shipped().glob("*.yaml"))
    assert [file.name for file in files] == [
        "delivered.yaml",
        "driver-near.yaml",
        "order-received.yaml",
        "shop-updates.yaml",
    ]
    for file in files:
        check(file.read_bytes(), hub.actions, file.name)
