// The text of a workflow in an editor: mistakes while typing, completion, Ctrl+S. Everything it
// knows comes from the hub's own checker; without it the plain field below works as well.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, forceLinting, lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension, type Text } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { send } from "../shared/api";
import { complete } from "./words";

interface Spot {
  line: number;
  column: number;
  message: string;
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string), tags.attributeValue], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.keyword], color: "var(--here)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--ink-2)" },
]);

start();

function start(): void {
  const form = document.querySelector<HTMLFormElement>("#editor");
  const field = form?.querySelector<HTMLTextAreaElement>("textarea");
  if (!form || !field) return;
  const nonce = document.querySelector<HTMLMetaElement>("meta[name=style-nonce]")?.content ?? "";
  const before = field.value;
  const fixed = field.readOnly;
  const view = new EditorView({
    state: EditorState.create({ doc: before, extensions: extensions(form, nonce, fixed) }),
  });
  field.hidden = true;
  field.after(view.dom);
  // Below the text, so that no line moves away under the writer's hands.
  const box = form.querySelector("#mistakes");
  if (box) view.dom.after(box);
  let leaving = false;
  form.addEventListener("submit", () => {
    field.value = view.state.doc.toString();
    leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && view.state.doc.toString() !== before) event.preventDefault();
  });
  box?.addEventListener("click", (event) => follow(event, view));
  form.querySelector("[data-keys]")?.removeAttribute("hidden");
  if (!fixed) forceLinting(view);
}

function extensions(form: HTMLFormElement, nonce: string, fixed: boolean): Extension[] {
  const save = { key: "Mod-s", run: () => (form.requestSubmit(), true) };
  const label = form.querySelector("label")?.textContent ?? "";
  return [
    EditorView.cspNonce.of(nonce),
    EditorView.contentAttributes.of({ "aria-label": label }),
    lineNumbers(),
    history(),
    drawSelection(),
    bracketMatching(),
    indentUnit.of("  "),
    yaml(),
    syntaxHighlighting(colours),
    highlightSelectionMatches(),
    fixed
      ? [EditorState.readOnly.of(true)]
      : [
          highlightActiveLine(),
          highlightActiveLineGutter(),
          closeBrackets(),
          autocompletion({ override: [complete] }),
          lintGutter(),
          linter((view) => mistakes(view, form), { delay: 350 }),
        ],
    keymap.of([
      save,
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...completionKeymap,
      ...lintKeymap,
      indentWithTab,
    ]),
  ];
}

async function mistakes(view: EditorView, form: HTMLFormElement): Promise<Diagnostic[]> {
  const doc = view.state.doc;
  let found: Spot[];
  try {
    found = await send<Spot[]>("POST", "/admin/workflows/lint", { text: doc.toString(), name: form.dataset.name ?? "" });
  } catch (error) {
    if (view.state.doc === doc) list(form, [], `The text could not be checked: ${(error as Error).message}`);
    return [];
  }
  if (view.state.doc !== doc) return []; // typed on meanwhile: the next check tells
  list(form, found, found.length === 1 ? "1 mistake keeps this from being saved." : `${found.length} mistakes keep this from being saved.`);
  return found.map((one) => {
    const from = place(doc, one);
    const rest = doc.lineAt(from).text.slice(from - doc.lineAt(from).from);
    const word = /^("[^"]*"|'[^']*'|[^\s,:}\]]+)/.exec(rest)?.[0] ?? "";
    return { from, to: from + word.length, severity: "error", message: sentence(one.message) };
  });
}

/** Write the mistakes in words too, for everybody. */
function list(form: HTMLFormElement, found: Spot[], words: string): void {
  const box = form.querySelector<HTMLElement>("#mistakes");
  const count = box?.querySelector("[data-count]");
  const items = box?.querySelector("ul");
  if (!box || !count || !items) return;
  count.textContent = words;
  items.replaceChildren(
    ...found.map((one) => {
      const link = document.createElement("a");
      link.href = "#text";
      link.dataset.line = String(one.line);
      link.dataset.column = String(one.column);
      link.textContent = `Line ${one.line}, column ${one.column}`;
      const item = document.createElement("li");
      item.append(link, `: ${one.message}`);
      return item;
    }),
  );
  box.hidden = found.length === 0 && !words.startsWith("The text");
}

function follow(event: Event, view: EditorView): void {
  const link = (event.target as Element).closest<HTMLElement>("a[data-line]");
  if (!link) return;
  event.preventDefault();
  const at = place(view.state.doc, { line: Number(link.dataset.line), column: Number(link.dataset.column) });
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  view.focus();
}

function place(doc: Text, spot: { line: number; column: number }): number {
  const line = doc.line(Math.min(Math.max(spot.line, 1), doc.lines));
  return Math.min(line.from + Math.max(spot.column - 1, 0), line.to);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
