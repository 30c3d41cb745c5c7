// Keeps the tracking page true without reloading it; the page is whole without this script.

import { listen, type Link } from "../shared/live";
import { inTurn } from "../shared/turns";
import type { Picture } from "./map";

interface Told {
  mood: string;
  eyebrow: string;
  headline: string;
  status: string;
  note: string;
  step: number;
  over: boolean;
  call: boolean;
}

interface State extends Picture {
  told: Told;
  seen: string;
  photos: string[];
  signature: string;
}

const page = document.querySelector<HTMLElement>("#track")!;
const link = document.querySelector<HTMLElement>("#link")!;
const words: Record<Link, string> = {
  live: "This page updates by itself.",
  polling: "This page looks for news every 15 seconds.",
  offline: "No connection. What you see may be old; this page tries again by itself.",
};
let tag = "";
let end = () => {};
let over = page.dataset.over === "true";

const refresh = inTurn(async (signal) => {
  const answer = await fetch(page.dataset.state!, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", signal });
  if (answer.status === 304) return;
  if (answer.status === 404) return location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  const state = (await answer.json()) as State;
  tag = answer.headers.get("ETag") ?? ""; // once all of it has come
  show(state);
});

function show(state: State): void {
  const told = state.told;
  page.dataset.mood = told.mood;
  write({ eyebrow: told.eyebrow, headline: told.headline, status: told.status, note: told.note, seen: state.seen });
  document.title = document.title.replace(/^.*(?= · )/, `${told.eyebrow} ${told.headline}`);
  document.querySelectorAll(".track-steps li").forEach((item, index) => {
    const step = index + 1;
    item.className = step < told.step || told.mood === "done" ? "past" : step === told.step ? "now" : "";
    if (step === told.step) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
  document.querySelector("#call")?.classList.toggle("main", told.call);
  pictures(state);
  void map(state);
  if (told.over) {
    over = true;
    end();
    link.textContent = "This page will not change any more.";
  }
}

// Only what differs is written, so that a screen reader hears the news and not the page.
function write(texts: Record<string, string>): void {
  for (const [name, text] of Object.entries(texts)) {
    const element = page.querySelector<HTMLElement>(`[data-text="${name}"]`);
    if (!element || element.textContent === text) continue;
    element.textContent = text;
    element.hidden = text === "";
  }
}

function pictures(state: State): void {
  const box = document.querySelector<HTMLElement>("#pictures")!;
  const wanted = [...state.photos.map((sha) => [sha, "Photo"]), ...(state.signature ? [[state.signature, "Signature"]] : [])];
  box.hidden = wanted.length === 0;
  if (box.querySelectorAll("figure").length === wanted.length) return;
  box.replaceChildren(
    ...wanted.map(([sha, name]) => {
      const figure = document.createElement("figure");
      const image = document.createElement("img");
      const caption = document.createElement("figcaption");
      image.src = page.dataset.pictures! + sha;
      image.alt = `${name} ${name === "Photo" ? "taken" : "given"} at the handover`;
      caption.textContent = name!;
      figure.className = name === "Signature" ? "track-signature" : "";
      figure.append(image, caption);
      return figure;
    }),
  );
}

// The map and its library are fetched only when there is something to see on it.
async function map(state: State): Promise<void> {
  const box = document.querySelector<HTMLElement>("#map-box")!;
  box.hidden = !state.home;
  if (!state.home) return;
  try {
    await (await import("./map")).draw(document.querySelector<HTMLElement>("#map")!, page.dataset.mapStyle!, state);
  } catch {
    box.hidden = true; // no map rather than a broken one
  }
}

if (!over) {
  end = listen({
    url: () => page.dataset.live ?? "",
    message: () => void refresh().catch(() => {}), // the next look, in 15 seconds, says what is wrong
    refresh,
    link: (now) => {
      if (!over) link.textContent = words[now];
    },
    every: 15_000,
  });
}
