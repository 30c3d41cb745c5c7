// The owner's pages work without scripts; htmx spares them whole reloads.

import htmx from "htmx.org";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;

// An error is told where it happened: its page carries a heading and a sentence.
document.body.addEventListener("htmx:responseError", (event) => {
  const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const said = page.querySelector("main h1 + p")?.textContent ?? `The hub answered ${xhr.status}.`;
  tell(`${said} Nothing was changed.`);
});
document.body.addEventListener("htmx:sendError", () => tell("The hub cannot be reached. Check the connection and try again."));

function tell(text: string): void {
  const main = document.getElementById("main");
  main?.querySelector("[data-told]")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.dataset.told = "";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  main?.prepend(notice);
}

// What a reader has opened stays open when a part of the page is shown anew.
let open: string[] = [];
document.body.addEventListener("htmx:beforeSwap", () => {
  open = [...document.querySelectorAll("details[open][id]")].map((one) => one.id);
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
});

// What somebody types while an answer is on its way stays there when the answer brings the field anew.
type Swap = CustomEvent<{ xhr: XMLHttpRequest; target: HTMLElement }>;
const sent = new WeakMap<XMLHttpRequest, Map<string, string>>();
let typed: [string, string][] = [];
const texts = (target: HTMLElement): [string, string][] =>
  [...target.querySelectorAll<HTMLInputElement>("input[id]:not([type=hidden], [type=checkbox], [type=radio])")].map((one) => [one.id, one.value]);
document.body.addEventListener("htmx:beforeSend", (event) => {
  const { xhr, target } = (event as Swap).detail;
  sent.set(xhr, new Map(texts(target)));
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = (event as Swap).detail;
  const before = sent.get(xhr);
  typed = texts(target).filter(([id, value]) => before?.has(id) && before.get(id) !== value);
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field instanceof HTMLInputElement) field.value = value;
  }
  typed = [];
});

// On a phone a row of tabs is longer than the screen: the one that is open comes into sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// What is there to be copied is selected as a whole.
document.body.addEventListener("focusin", (event) => {
  if (event.target instanceof HTMLInputElement && "select" in event.target.dataset) event.target.select();
});
