// What may come next in a workflow, from the hub's own lists of actions, events and keys.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { send } from "../shared/api";

interface Known {
  actions: { name: string; info: string; inputs: { name: string; info: string; required: boolean }[] }[];
  events: { name: string; info: string; fields: string[] }[];
  keys: Record<string, string[]>;
}

let asked: Promise<Known | null> | undefined;

function known(): Promise<Known | null> {
  asked ??= send<Known>("GET", "/admin/workflow-words").catch(() => {
    asked = undefined; // asked again at the next word
    return null;
  });
  return asked;
}

export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const lines = context.state.doc.toString().split("\n").slice(0, line.number);
  const words = await known();
  if (!words) return null;
  const named = /^\s*(?:-\s+)*(?:\{\s*)?(use|event):\s*([\w.-]*)$/.exec(before) ?? /[{,]\s*(use|event):\s*([\w.-]*)$/.exec(before);
  if (named) {
    const options = named[1] === "use" ? words.actions : words.events;
    return result(context, named[2] ?? "", options.map((one) => ({ label: one.name, info: one.info || undefined, type: "function" })));
  }
  const path = /event\.[\w.]*$/.exec(before);
  if (path) return result(context, path[0], fields(words, context.state.doc.toString()));
  const key = /^\s*(?:-\s+)*([a-z_]*)$/.exec(before);
  if (!key || (!key[1] && !context.explicit)) return null;
  return result(context, key[1] ?? "", keys(words, lines));
}

function result(context: CompletionContext, word: string, options: Completion[]): CompletionResult | null {
  return options.length ? { from: context.pos - word.length, options, validFor: /^[\w.-]*$/ } : null;
}

/** Fields of the events that the text names, of all where it names none. */
function fields(words: Known, text: string): Completion[] {
  const used = new Set([...text.matchAll(/\bevent:\s*["']?([\w.]+)/g)].map((found) => found[1]));
  const events = words.events.filter((one) => used.has(one.name));
  const all = new Set((events.length ? events : words.events).flatMap((one) => one.fields));
  return [...all].map((label) => ({ label, type: "property" }));
}

/** Keys that may stand under the nearest line that this one lies in. */
function keys(words: Known, lines: string[]): Completion[] {
  const parents = above(lines);
  const parent = parents[0]?.key ?? "";
  if (parent === "with") {
    const action = words.actions.find((one) => one.name === used(lines, parents[0]!));
    return (action?.inputs ?? []).map((one) => ({
      label: one.name, apply: `${one.name}: `, detail: one.required ? "needed" : undefined, info: one.info || undefined, type: "property",
    }));
  }
  return (words.keys[parent] ?? []).map((label) => ({ label, apply: `${label}: `, type: "keyword" }));
}

interface Parent {
  key: string;
  at: number;
  indent: number;
}

/** The keys that the last line lies in, the nearest first. */
function above(lines: string[]): Parent[] {
  const found: Parent[] = [];
  const last = lines.length - 1;
  let indent = column(lines[last] ?? "");
  let dash = /^\s*-/.test(lines[last] ?? "");
  for (let at = last - 1; at >= 0; at--) {
    const line = lines[at] ?? "";
    if (!line.trim() || line.trim().startsWith("#")) continue;
    const key = /^\s*(?:-\s+)*([\w-]+):\s*$/.exec(line)?.[1];
    const own = column(line);
    const item = /^\s*-/.test(line);
    if (key && (own < indent || (dash && !item && own === indent))) {
      found.push({ key, at, indent: own });
      indent = own;
      dash = item;
    } else if (own <= indent && item) {
      indent = /^\s*/.exec(line)![0].length + (own < indent ? 1 : 0);
      dash = true;
    }
  }
  return found;
}

/** The column in which a line's key begins, after the dashes of its lists. */
function column(line: string): number {
  return /^\s*(?:-\s+)*/.exec(line)![0].length;
}

/** The action of the step whose `with:` this is. */
function used(lines: string[], held: Parent): string {
  for (let at = held.at; at >= 0; at--) {
    const line = lines[at] ?? "";
    const found = /^\s*(?:-\s+)*use:\s*([\w.-]+)/.exec(line)?.[1];
    if (found && column(line) === held.indent) return found;
    if (line.trim() && column(line) < held.indent) return "";
  }
  return "";
}
