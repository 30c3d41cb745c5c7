"""What somebody hostile might write: expressions, and whole files with where they are refused."""

from datetime import UTC, datetime
from typing import Any

from hub.workflow.messages import LONGEST_LIST
from hub.workflow.schemas import Each

SHAPE = {
    "occurred_at": datetime, "ref": str, "n": int, "tags": list[str],
    "items": Each({"text": str, "n": int}), "any": dict,
}  # fmt: skip
LONG = "a" * 5000
EVENT = {
    "occurred_at": datetime(2026, 11, 23, tzinfo=UTC), "ref": LONG, "n": 7,
    "tags": [LONG] * 5000, "items": [{"text": LONG, "n": 1}] * 5000,
    "any": {"text": LONG * 100, "list": [1] * 5000},
}  # fmt: skip
TEN = "[0,1,2,3,4,5,6,7,8,9]"
NESTED = "true"
for _letter in "abcdefg":
    NESTED = f"{TEN}.all({_letter}, {NESTED})"


def chain(sign: str, part: str, times: int) -> str:
    return sign.join([part] * times)


ATOMS = (
    "event.ref", "event.ref", "event.n", "event.tags", "event.items", "event.any", "event.any.text",
    "event.any.list", "event", "a", "b", "a.text", "'a'", "''", "1", "0", "1.5", "true", "null",
    "9223372036854775807", "event.occurred_at", "'%s%s'", "'UTC'", "'(a+)+$'", "[]", "{}",
)  # fmt: skip
FORMS = (
    "@", "@ + @", "@ + @", "@ * @", "@ == @", "@ && @", "@ || @", "!@", "-@", "@ ? @ : @", "(@)",
    "[@, @, @]", "{@: @}", "@ in @", "@[0]", "@[@]", "@.all(a, @)", "@.exists(b, @)",
    "@.map(a, @)", "@.map(b, @)", "@.filter(a, @)", "@.map(a, @, @)", "@.exists_one(a, @)",
    "optional.of(@).optMap(a, @).orValue(@)", "optional.of(@).optFlatMap(b, @).orValue(@)",
    "@.replace(@, @)", "@.replace('', @)", "@.split(@)", "@.join(@)", "@.join()",
    "@.format([@, @])",
    "strings.quote(@)", "@.matches('(a+)+$')", "@.matches(@)", "@.reverse()", "@.upperAscii()",
    "@.substring(0, @)", "@.indexOf(@)", "@.charAt(@)", "@.contains(@)", "size(@)", "string(@)",
    "dyn(@)", "type(@)", "has(event.any)", "int(@)", "double(@)", "timestamp(@)", "duration(@)",
    "shorten(@, @)", "title(@)", "digits(@)", "money(@, 'CHF')", "minutes(@)", "today(@)", "now()",
    "next_workday(@)", "connected(@)", "local_time(@, @)", "in_area(@, @, @)", "@.?text.orValue(@)",
)  # fmt: skip
"""What random expressions are made of; each @ is another one."""

REFUSED = {
    "power": "10**9999999",
    "repeated text": '"a"*10**9',
    "repeated list": "[1]*1000000000",
    "shift": "1 << 1000000000",
    "centre": '"a".center(1000000000)',
    "wide format": '"%100000000d".format([1])',
    "precise format": '"%.100000000f".format([1.0])',
    "class": "__class__.__mro__",
    "class of a text": '"".__class__.__base__.__subclasses__()',
    "class of an event": 'event.__class__.__init__.__globals__["os"]',
    "import": '__import__("os").system("id")',
    "eval": 'eval("1")',
    "lambda": "(lambda: 1)()",
    "constructor": 'this.constructor.constructor("return process")()',
    "process": 'process.mainModule.require("child_process").execSync("id")',
    "this": "$json.constructor",
    "seven nested loops": NESTED,
    "two nested loops": f"{TEN}.all(a, {TEN}.all(b, true))",
    "nested across lines": "event.tags . all (a, event.tags\n.\nall (b, true))",
    "nested behind comments": "event.tags.//\nall(a, event.tags.//\nall(b, true))",
    "nested behind a raw text": r"""r"\" + [[1]].map(a, a.map(b, b)) + "\"""",
    "nested by optional": "optional.of(1).optMap(a, optional.of(2).optMap(b, b)).orValue(0)",
    "3000 parentheses": "(" * 3000 + "1" + ")" * 3000,
    "3000 brackets": "[" * 3000 + "]" * 3000,
    "300 parentheses": "(" * 300 + "1" + ")" * 300,
    "300 brackets": "[" * 300 + "]" * 300,
    "300 braces": "([{" * 300,
    "long sum": chain("+", "1", 480),
    "long choice": "true ? " * 140,
    "long path": "event" + ".any" * 240,
    "many quotes": "'''" * 300,
    "open text": '"' * 999,
    "open raw text": 'r"' * 400,
    "backslashes": "'" + "\\" * 900,
    "long name": "a" * 1000,
    "long number": "9" * 900,
    "long hexadecimal": "0x" + "f" * 900,
    "unknown signs": "ä" * 1000,
    "one megabyte": "1" + " " * 1_000_000,
    "doubling by map": '["' + "a" * 100 + '"]' + ".map(a, a + a)" * 22,
    "doubling by optional": "optional.of(event.ref)" + ".optMap(a, a + a)" * 22 + '.orValue("")',
    "doubling by optional of optional": "optional.of(event.ref)"
    + ".optFlatMap(a, optional.of(a + a))" * 22 + '.orValue("")',
    "doubling by quotes": "strings.quote(" * 28 + "'\"'" + ")" * 28,
    "doubling by format": '"%s%s".format([' * 9 + "event.ref" + ", 1])" * 9,
    "squared twice": "event.ref.replace('', event.ref).replace('', event.ref)",
    "squared once": "event.ref.replace('', event.ref)",
    "squared sum": f"({chain('+', 'event.ref', 30)}).replace('', {chain('+', 'event.ref', 30)})",
    "squared text of anything": "string(event.any.text).replace('', string(event.any.text))",
    "replaced in a loop": "event.tags.map(t, t.replace('', t)).size()",
    "split in a loop": "event.tags.map(t, t.split('')).size()",
    "joined long": f"event.tags.join({chain('+', 'event.ref', 29)})",
    "sum in a loop": f"event.tags.map(t, {chain('+', 't', 30)}).size()",
    "sum in two loops": "event.tags.map(t, t + t + t).map(t, t + t + t).size()",
    "list in a loop": "event.tags.map(t, event.tags).map(t, t + t).size()",
    "list compared in a loop": "event.tags.all(t, event.items == event.items)",
    "event in a loop": "event.tags.all(t, event == event)",
    "list of anything in a loop": "event.tags.all(t, event.any == event.any)",
    "list behind a question mark": "event.tags.all(t, event.?tags.hasValue())",
    "many lists": f"[{chain(',', 'event.tags', 80)}].map(t, t + t).size()",
    "many lists formatted": f"'{'%s' * 60}'.format([{chain(',', 'event.tags', 60)}])",
    "longer list in a loop": "(event.tags + event.tags).map(t, t).map(t, t).size()",
    "area in a loop": f"event.items.all(i, in_area(1.0, 1.0, [{chain(',', '1.0', 40)}]))",
    "much in a loop": f"event.tags.all(t, {chain(' && ', 't != event.ref', 40)})",
    "calls in a loop": f"event.tags.all(t, {chain(' && ', 'has(event.n)', 9)})",
    "pattern in a loop": "event.tags.all(t, t.matches('(a+)+$'))",
    "pattern from data": "event.ref.matches(event.ref)",
    "pattern by function": "matches(event.ref, '(a+)+$')",
    "pattern of a sum": "event.ref.matches('(a' + '{1,1000}){1,1000}')",
    "pattern repeated": "event.ref.matches('((((a{1,50}){1,50}){1,50}))')",
    "pattern of all letters": r"event.ref.matches('\\pL{9,1000}x')",
    "pattern with a hidden brace": r"event.ref.matches('(a\x7b1,1000}){1,1000}')",
    "many patterns": chain(" && ", "event.ref.matches('(a+)+$')", 30),
    "long pattern": f"event.ref.matches('{'(a|b|ab)*' * 90}')",
    "broken pattern": "event.ref.matches('(')",
    "not a number": "0.0 / 0.0",
    "without end": "1e1000",
    "whole number too large": "9223372036854775807 + event.n",
    "NUL": r'"a\000b"',
    "half a sign": r'"\ud800"',
    "moment too late": "google.protobuf.Timestamp{seconds: 999999999999}",
    "span too long": "duration('999999999999h')",
    "raw NUL": "\0",
    "raw half a sign": '"\ud800"',
    "bytes": 'b"abc"',
    "type": "type(event)",
    "hidden type": "dyn(type(event))",
    "hidden object": "dyn(event)",
    "long list": "event.any.list.map(x, [x, x, x, x, x, x, x, x, x, x])",
    "long text": "event.ref + event.ref + event.ref + event.ref + event.ref",
    "text of anything in a list": f"[{chain(',', 'event.ref', 60)}]",
    "any list": "lists.range(1000000000)",
    "file": 'open("/etc/passwd")',
    "environment": "env.SECRET",
    "connection": "connections.secret",
}  # fmt: skip

HARMLESS: dict[str, tuple[str, Any]] = {
    "hostile pattern": ("event.ref.matches('(a+)+$')", True),
    "hostile pattern three times": (chain(" && ", "event.ref.matches('(a|a)*b')", 3), False),
    "pattern at its bounds": ("event.ref.matches('((a{1,10}){1,10}){1,10}$')", True),
    "one loop over the longest list": ("event.tags.all(t, t.startsWith('aaa'))", True),
    "two loops over the longest list": ("event.tags.filter(t, t != '').all(t, t != 'b')", True),
    "other words for a field": ('"{0.__class__}".format(["a"])', "{0.__class__}"),
    "own functions in a loop": (
        "event.items.all(i, shorten(i.text, 9) != '' && digits(i.text) == '')", True,
    ),
    "loops in a text": ("size('x.map(a, a.map(b, b.map(c, c)))')", 31),
    "loops in a comment": ("1 // x.map(a, a.map(b, b))", 1),
    "many negations": ("!" * 900 + "true", True),
    "many conditions": (chain("&&", "true", 160), True),
    "twenty levels": ("[" * 20 + "]" * 20 + " == []", False),
    "equal lists": ("event.items == event.items", True),
    "long text cut": ("size(event.ref)", 500),
    "long list cut": ("size(event.tags)", LONGEST_LIST),
    "list of anything cut": ("size(event.any.list)", LONGEST_LIST),
    "text of anything cut": ("size(string(event.any.text))", 500),
    "word that turns the line": (r'"\u202e" == "a"', False),
}  # fmt: skip


PLAIN = """\
workflow: plain
on:
  - event: order.received
    if: event.order.ref != ""
steps:
  - id: note
    use: toy.write
    with: {text: "TEXT"}
"""


def bomb(levels: int) -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for level in range(levels):
        one, before = chr(98 + level), chr(97 + level)
        lines.append(f"{one}: &{one} [{chain(',', f'*{before}', 9)}]")
    return "\n".join(lines)


FILES: dict[str, tuple[str | bytes, str]] = {
    "billion laughs": (bomb(9), "1:4: anchors"),
    "many aliases": ("a: [" + "*a," * 50_000 + "]", "1:5: aliases"),
    "many anchors": ("a: [" + ",".join(f"&a{n} 1" for n in range(20_000)) + "]", "1:5: anchors"),
    "anchor of a key": ("&a workflow: b", "1:1: anchors"),
    "alias as a key": ("*a : b", "1:1: a key has to be a word"),
    "merge key": (PLAIN + "<<: {version: 3}\n", "9:1: unknown key '<<'"),
    "merge key of an alias": ("a: &a {b: 1}\n<<: *a\n", "1:4: anchors"),
    "tag of Python": ("a: !!python/object/apply:os.system [id]", "1:4: tags"),
    "tag of a key": ("!!str workflow: b", "1:1: tags"),
    "tag by a directive": ("%TAG ! tag:x,2000:\n---\na: !b 1", "3:4: tags"),
    "many tags": ("a: [" + "!!str x," * 20_000 + "]", "1:5: tags"),
    "another YAML": ("%YAML 3.0\n---\na: 1", "1:1: not YAML"),
    "a key twice": (PLAIN + "workflow: other\n", "9:1: 'workflow' stands here twice"),
    "a key many times": ("a: 1\n" * 40_000, "2:1: 'a' stands here twice"),
    "many keys": ("".join(f"key{n}: 1\n" for n in range(9_000)), "201:1: more than 200 keys"),
    "list as a key": ("? [a]\n: 1", "1:3: a key has to be a word"),
    "mapping as a key": ("{" * 3000, "1:2: a key has to be a word"),
    "question marks": ("? " * 3000, "1:3: a key has to be a word"),
    "3000 brackets": ("a: " + "[" * 3000, "1:23: nested deeper than 20"),
    "3000 brackets closed": ("a: " + "[" * 3000 + "]" * 3000, "1:23: nested deeper than 20"),
    "3000 dashes": ("- " * 3000, "1:41: nested deeper than 20"),
    "deep mapping": ("".join("  " * n + f"a{n}:\n" for n in range(100)), "21:41: nested deeper"),
    "many values": ("a: [" + "1," * 100_000 + "]", "1:8001: the file holds more than 4000"),
    "many lists": ("a: [" + "{}," * 80_000 + "]", "more than 4000 values"),
    "many lines": ("- \n" * 80_000, "more than 4000 values"),
    "many steps": (PLAIN + "  - {id: a, delay: 1s}\n" * 1000, "at most 200 items"),
    "many triggers": (
        "workflow: a\non:\n" + "  - event: stop.complete\n" * 1000 + "steps: []\n", "at most 50",
    ),
    "leading nought": ("version: 0123", "1:10: 0123 can be read as several numbers"),
    "leading nought and point": ("version: 0123.5", "1:10: 0123.5 can be read"),
    "hexadecimal": ("version: 0x1F", "1:10: 0x1F can be read"),
    "octal": ("version: 0o17", "1:10: 0o17 can be read"),
    "underscore": ("version: 1_000", "1:10: 1_000 can be read"),
    "infinity": ("version: .inf", "1:10: .inf can be read"),
    "minus infinity": ("version: -.INF", "1:10: -.INF can be read"),
    "not a number": ("version: .NaN", "1:10: .NaN can be read"),
    "too large": ("version: 1e1000", "1:10: 1e1000 is too large"),
    "too small": ("version: 1e-1000", "1:10: 1e-1000 is too large or too small"),
    "64 bits and one": ("version: 9223372036854775808", "1:10: 9223372036854775808 is too large"),
    "many digits": ("version: " + "9" * 9000, "1:10: 9999"),
    "very many digits": ("version: " + "9" * 200_000, "1:10: 200000 characters"),
    "NO as a truth": (
        PLAIN.replace("  - id: note", "  - continue_on_error: NO\n    id: note"),
        "6:24: has to be true or false",
    ),
    "yes as a name": ("workflow: yes\non: no\nsteps: off\n", "2:5: "),
    "12:30 as a number": (PLAIN + "version: 12:30\n", "9:10: "),
    "date as a version": (PLAIN + "version: 2026-12-01\n", "9:10: "),
    "one megabyte": ("a: " + "x" * 1_000_000, "1:1: the file has 1000003 bytes"),
    "long value": ("a: " + "x" * 200_000, "1:4: 200000 characters stand here"),
    "long block": ("a: |\n" + "  x\n" * 60_000, "1:4: 120000 characters stand here"),
    "long quoted": ('a: "' + '\\"' * 100_000 + '"', "1:4: 100000 characters stand here"),
    "long key": ("b" * 500 + ": 1", "1:1: 500 characters stand here; 100 fit"),
    "long name of an action": (PLAIN.replace("toy.write", "a" * 9000), "7:10: "),
    "long name of an event": (PLAIN.replace("order.received", "a" * 9000), "3:12: "),
    "long condition": (PLAIN.replace('!= ""', "a" * 9000), "4:9: the expression has 9016"),
    "NUL": ("workflow: a\n# \0\n", "2:3: U+0000 cannot be seen"),
    "NUL by an escape": ('a: "\\0"', "1:4: U+0000 cannot be kept"),
    "NUL in a key": ('"\\0": 1', "1:1: U+0000 cannot be kept"),
    "bell": ("a: b\x07", "1:5: U+0007 cannot be seen"),
    "escape": ("a: \x1b[2J", "1:4: U+001B cannot be seen"),
    "escape by an escape": ('a: "\\e[2J"', "1:4: U+001B cannot be kept"),
    "delete": ("a: b\x7f", "1:5: U+007F cannot be seen"),
    "many control signs": ("\x01" * 250_000, "1:1: U+0001 cannot be seen"),
    "turned line": ("a: 1 # \u202e", "1:8: U+202E turns the direction"),
    "isolated line": ("a: \u2066b", "1:4: U+2066 turns the direction"),
    "half a sign": ("a: \ud800", "1:4: U+D800 cannot be seen"),
    "half a sign by an escape": ('a: "\\ud800"', "1:7: not YAML"),
    "sign that does not exist": ('a: "\\UFFFFFFFF"', "1:7: not YAML"),
    "two byte order marks": ("\ufeff\ufeffa: 1", "1:1: U+FEFF cannot be seen"),
    "byte order mark inside": ("a: b\ufeff", "1:5: U+FEFF cannot be seen"),
    "tab as indentation": ("a:\n\t- b", "2:1: not YAML"),
    "tab at the beginning": ("\ta: 1", "1:1: not YAML"),
    "two documents": (PLAIN + "---\na: 1", "9:1: a file holds one workflow"),
    "two empty documents": ("---\n---\n", "2:1: a file holds one workflow"),
    "document after an end": ("a: 1\n...\nb: 2", "3:1: not YAML"),
    "UTF-16": (PLAIN.encode("utf-16"), "1:1: the file is not UTF-8"),
    "Latin-1": ("a: 1\nb: grün".encode("latin-1"), "2:6: the file is not UTF-8"),
    "any bytes": (bytes(range(256)) * 900, "the file is not UTF-8"),
    "zip": (b"PK\x03\x04" + b"\0" * 1000, "1:3: U+0003"),
    "picture": (b"\x89PNG\r\n\x1a\n", "1:1: the file is not UTF-8"),
    "no file": ("", "1:1: the file is empty"),
    "blank lines": ("\n" * 250_000, "1:1: the file is empty"),
    "one comment": ("#" * 250_000, "1:1: the file is empty"),
    "one word": ("abc", "1:1: has to be a mapping"),
    "one list": ("- 1", "1:1: has to be a mapping"),
    "nothing": ("~", "1:1: has to be a mapping"),
    "many colons": (": " * 1000, "1:1: not YAML"),
    "many openings": (PLAIN.replace("TEXT", "{{" * 4000), "8:19: {{ has no closing }}"),
    "many expressions": (
        PLAIN.replace("TEXT", "{{ event.order.ref }}" * 400), "8:441: a text holds 400 expressions",
    ),
    "power in a text": (PLAIN.replace("TEXT", "Hi {{ 10**9999999 }}"), "8:28: "),
    "doubling in a text": (
        PLAIN.replace("TEXT", "{{ ['a']" + ".map(a, a + a)" * 22 + " }}"), "8:21: 22 loops",
    ),
    "file of the system": (PLAIN.replace("toy.write", "../../etc/passwd"), "7:10: "),
    "secret": (PLAIN.replace("TEXT", "{{ secrets.key }}"), "8:22: 'secrets' is unknown here"),
    "zone of the system": (
        "workflow: a\non:\n  - schedule: {cron: '* * * * *', tz: ../../etc/passwd}\nsteps: []\n",
        "3:39: is no time zone",
    ),
}  # fmt: skip
