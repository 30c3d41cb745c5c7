// The dispatcher's board: one day on one screen, live.

import { render } from "preact";
import { useEffect } from "preact/hooks";
import { send } from "../shared/api";
import { listen } from "../shared/live";
import { setClock } from "../shared/time";
import { dismiss, toast, toasts } from "./acts";
import { Bar, Stale } from "./bar";
import { Dialogs } from "./dialogs";
import { BoardMap } from "./map";
import { Needs } from "./needs";
import { Routes } from "./routes";
import { failure, fixes, link, load, loadSoon, pinning, planning, state, tick } from "./state";

function Board() {
  useEffect(() => {
    const keys = (event: KeyboardEvent) => event.key === "Escape" && (pinning.value = null);
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  }, []);
  if (!state.value) {
    return <p class="empty">{failure.value ? <><strong>The board cannot be loaded</strong>{failure.value}</> : "Loading the day …"}</p>;
  }
  return (
    <>
      <Bar />
      <Stale />
      <div class="board-body">
        <div class="board-side"><Needs /><Routes /></div>
        <BoardMap />
      </div>
      <Dialogs />
      <Toasts />
    </>
  );
}

function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map((t) => (
        <div key={t.id} class="toast">
          <span>{t.text}</span>
          {t.undo && <button type="button" onClick={() => { dismiss(t.id); t.undo?.().then(() => loadSoon(), (e: Error) => toast(e.message)); }}>Undo</button>}
        </div>
      ))}
    </div>
  );
}

function hear(news: any): void {
  if (news?.t === "fix" && typeof news.lat === "number" && typeof news.lon === "number") {
    fixes.value = { ...fixes.value, [news.driver]: { lat: news.lat, lon: news.lon, at: news.at, heading: news.heading ?? null } };
  } else if (news?.t === "plan" && state.value) {
    const depots = state.value.depots.map((d) => (d.plan?.id === news.subject ? { ...d, plan: { ...d.plan!, progress: news.progress } } : d));
    state.value = { ...state.value, depots };
  } else if (news?.t === "event") {
    loadSoon();
  }
}

async function refresh(): Promise<void> {
  try {
    await load();
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
    throw error;
  }
}

const root = document.getElementById("board") as HTMLElement;
setClock({ now: document.body.dataset.now ?? "", speed: Number(document.body.dataset.speed ?? 1) });
root.replaceChildren();
render(<Board />, root);
listen({
  url: async () => (await send<{ url: string }>("GET", "/board/live")).url,
  message: hear,
  refresh,
  link: (next) => (link.value = next),
});
window.setInterval(() => (tick.value += 1), 5_000);
window.setInterval(() => planning.value && void load().catch(() => undefined), 1_500);
