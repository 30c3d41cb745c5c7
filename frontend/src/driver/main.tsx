// The driver's app: what next, in the largest type; then everything else of the day.

import { signal } from "@preact/signals";
import { Fragment, render } from "preact";
import { useState } from "preact/hooks";
import { hour, hubNow, span } from "../shared/time";
import { stateWord } from "../shared/words";
import { arrive, chosen, current, heardAt, isOpen, leave, legHome, legTo, refresh, route, sheet, stale, start, stops, way } from "./day";
import { Finish } from "./finish";
import { RouteMap } from "./map";
import * as outbox from "./outbox";
import type { Kind } from "./outbox";
import { choose, follow, rest, sendFixes, sight } from "./position";
import type { Leg, Stop } from "./sheet";
import { distance, endings, navigation } from "./words";

const root = document.getElementById("app")!;
const ending = signal<{ stop: Stop; kind: Kind } | null>(null);
const notes = signal<string[]>([]);
const minute = signal(Date.now());

function App() {
  if (ending.value) {
    const { stop, kind } = ending.value;
    return <Finish key={stop.id + kind} stop={stop} kind={kind} close={() => (ending.value = null)} />;
  }
  return (
    <>
      <Head />
      <main class="page narrow">
        <Warnings />
        <Now />
        <List />
      </main>
    </>
  );
}

function Head() {
  const held = outbox.waiting.value.filter((entry) => !entry.refused).length;
  return (
    <header class="page-head spread head">
      <span class="strong cut">{root.dataset.name}</span>
      <span class="row tight">
        <span role="status">{held > 0 && <span class="chip" data-state="waiting">{held} to send</span>}</span>
        <button type="button" role="switch" class="switch" aria-checked={sight.value === "on" || sight.value === "searching"} onClick={() => choose(sight.value !== "on" && sight.value !== "searching")}>
          Position
        </button>
      </span>
    </header>
  );
}

function Warnings() {
  const age = heardAt.value ? Math.max(1, Math.round((minute.value - heardAt.value) / 60_000)) : 0;
  return (
    <div class="stack" aria-live="polite">
      {outbox.signedOut.value && <p class="notice bad">This phone was signed out. Ask your dispatcher for a new link; nothing that you entered is lost.</p>}
      {!outbox.signedOut.value && (outbox.trouble.value || (stale.value && sheet.value)) && (
        <p class="notice warn">
          {outbox.trouble.value || stale.value} Go on working: what you enter is kept on this phone and sent by itself.
          {age > 1 && ` The list is ${age} min old.`}
        </p>
      )}
      {notes.value.map((note) => <p class="notice warn" key={note}>Your report was taken, but {note}.</p>)}
      {outbox.waiting.value.filter((entry) => entry.refused).map((entry) => <Refused key={entry.seq} entry={entry} />)}
      <Sight />
    </div>
  );
}

function Refused({ entry }: { entry: outbox.Entry }) {
  const stop = stops.value.find((s) => s.id === entry.report.stop);
  return (
    <div class="notice bad">
      <p><strong>Not taken by the hub{stop ? `: ${stop.name || stop.ref}` : ""}.</strong> {entry.refused} Tell your dispatcher.</p>
      <button type="button" class="button" onClick={() => void outbox.discard(entry)}>I have told them</button>
    </div>
  );
}

function Sight() {
  if (!route.value || route.value.state === "closed") return null;
  if (sight.value === "insecure") {
    const safe = root.dataset.publicUrl ?? "";
    return (
      <p class="notice warn">
        The phone gives its position to secure addresses (https) only, and this one is not: arrivals and ETAs have to do without it.{" "}
        {safe.startsWith("https://") ? <a href={`${safe}/driver`}>Open the secure address</a> : "Ask your dispatcher to set HUB_PUBLIC_URL to an https address."}
      </p>
    );
  }
  if (sight.value === "denied") return <p class="notice warn">This page may not see the phone's position. Allow it in the browser's settings for this site, then switch Position on again.</p>;
  if (sight.value === "unsupported") return <p class="notice warn">This browser has no position. Open the page in the phone's own browser.</p>;
  if (sight.value === "off") return <p class="notice">Position is off: customers see the planned time, not you. It is only sent while this page is open.</p>;
  return null;
}

function Now() {
  if (!sheet.value) {
    return stale.value
      ? <div class="empty"><strong>{stale.value}</strong><p>Check the phone's connection. This page tries again by itself.</p><Again /></div>
      : <p class="quiet">Loading your route…</p>;
  }
  if (!route.value) return <div class="empty"><strong>No route for you today</strong><p>As soon as the dispatcher publishes one, it appears here.</p><Again /></div>;
  if (["ready", "loaded"].includes(route.value.state)) return <Begin />;
  if (!current.value) return <div class="empty"><strong>All stops are done</strong><p>Thank you. Drive back to {route.value.depot.name}.</p><Turns leg={legHome()} /></div>;
  return <Door key={current.value.id} stop={current.value} />;
}

function Again() {
  return <button type="button" class="button whole" onClick={() => void refresh()}>Try again now</button>;
}

function Begin() {
  const [busy, setBusy] = useState(false);
  const first = stops.value[0];
  const zone = route.value!.depot.timezone;
  return (
    <section class="stack">
      <h1 class="answer">{stops.value.length} {stops.value.length === 1 ? "stop" : "stops"} today</h1>
      <p>From {route.value!.depot.name}{first?.planned_at ? `; the first at ${hour(first.planned_at, zone)}` : ""}.</p>
      <div class="bar">
        <button type="button" class="button main whole" disabled={busy} onClick={() => { setBusy(true); follow(); void start(); }}>Start the route</button>
      </div>
      <Loading />
    </section>
  );
}

function Loading() {
  const trip = route.value?.loading?.[0] ?? [];
  if (trip.length < 2) return null;
  const byId = new Map(stops.value.map((stop) => [stop.id, stop]));
  return (
    <details class="load">
      <summary>Loading order{route.value!.loading.length > 1 ? ", first trip" : ""}</summary>
      <p class="quiet">The last stop's goods go in first.</p>
      <ol>
        {trip.map((id) => byId.get(id)).map((stop) => stop && <li key={stop.id}><strong>{stop.name || stop.ref}</strong> <span class="quiet">{stop.ref}, stop {stop.position}</span></li>)}
      </ol>
    </details>
  );
}

function Pauses({ after }: { after: string }) {
  const found = (route.value?.pauses ?? []).filter((pause) => pause.after === after);
  return <>{found.map((pause) => <li class="rest" key={pause.begins_at}>{pause.text}</li>)}</>;
}

function Door({ stop }: { stop: Stop }) {
  const zone = route.value!.depot.timezone;
  const there = stop.state === "arrived";
  const late = stop.window_end !== null && hubNow() > Date.parse(stop.window_end);
  return (
    <section class="door" aria-labelledby="door">
      <p class="row tight"><span class="chip" data-state={stop.state}>{there ? "You are here" : "Next"}</span><span class="quiet">Stop {stop.position} of {stops.value.length}</span></p>
      <h1 class="answer" id="door">{stop.address || stop.name || stop.ref}</h1>
      <p class="who">{stop.name} <span class="quiet">{stop.ref}</span></p>
      <dl class="facts">
        <div><dt>Promised</dt><dd class={late ? "late" : ""}><span class="number">{span(stop.window_start, stop.window_end, zone)}</span>{late && ", late"}</dd></div>
        {!there && stop.eta_at && <div><dt>ETA</dt><dd class="number">{hour(stop.eta_at, zone)}</dd></div>}
        {stop.cash_due !== null && <div><dt>Collect</dt><dd class="number cash">{stop.currency} {stop.cash_due}</dd></div>}
      </dl>
      {stop.notes && <p class="notice">{stop.notes}</p>}
      {stop.lines.length > 0 && <ul class="lines">{stop.lines.map((line) => <li key={line.id}><span class="number">{line.quantity} ×</span> {line.name}</li>)}</ul>}
      <div class="row pair">
        <a class="button" href={navigation(stop.lat, stop.lon)} target="_blank" rel="noreferrer" onClick={() => void leave()}>Navigate</a>
        {stop.phone && <a class="button" href={`tel:${stop.phone}`}>Call</a>}
      </div>
      {!there && <Turns leg={legTo(stop)} />}
      <Acts stop={stop} />
    </section>
  );
}

/** The way in words, for who has no signal or does not want another app. */
function Turns({ leg }: { leg: Leg | null }) {
  if (!leg) return null;
  return (
    <details class="turns">
      <summary>Way in words <span class="quiet number">{distance(leg.metres)}, {Math.max(1, Math.round(leg.seconds / 60))} min</span></summary>
      <ol>
        {leg.steps.map((step, at) => (
          <li key={at}><span>{step.text}</span>{step.metres > 0 && <span class="quiet number">{distance(step.metres)}</span>}</li>
        ))}
      </ol>
      {way.value?.credit && <p class="quiet">{way.value.credit}</p>}
    </details>
  );
}

function Acts({ stop }: { stop: Stop }) {
  const words = endings(stop.kind);
  if (stop.state !== "arrived") {
    return <div class="bar"><button type="button" class="button main whole" onClick={() => void arrive(stop)}>I am here</button></div>;
  }
  const act = (kind: Kind, look: string) => (
    <button type="button" class={`button ${look}`} onClick={() => (ending.value = { stop, kind })}>{words[kind]!.button}</button>
  );
  return (
    <div class="bar three">
      {act("complete", "main good whole")}
      {act("partial", "")}
      {act("fail", "bad")}
    </div>
  );
}

function List() {
  const [mapped, setMapped] = useState(false);
  if (stops.value.length === 0) return null;
  const zone = route.value?.depot.timezone ?? "UTC";
  const pick = (id: string) => {
    chosen.value = id;
    scrollTo({ top: 0 });
  };
  return (
    <section aria-labelledby="all">
      <div class="row spread list-head">
        <h2 id="all">All stops</h2>
        <button type="button" class="button" aria-expanded={mapped} onClick={() => setMapped(!mapped)}>{mapped ? "Hide the map" : "Map"}</button>
      </div>
      {mapped && <RouteMap pick={pick} />}
      <ol class="list">
        <Pauses after="" />
        {stops.value.map((stop) => <Fragment key={stop.id}><li aria-current={stop.id === current.value?.id ? "step" : undefined}>
            <button type="button" disabled={!isOpen(stop) || route.value?.state !== "in_progress"} onClick={() => pick(stop.id)}>
              <span class="place number">{stop.position}</span>
              <span class="what"><strong>{stop.name || stop.ref}</strong><span class="quiet">{stop.address}</span></span>
              <span class="when"><span class="chip" data-state={stop.state}>{wordFor(stop)}</span><span class="quiet number">{hour(stop.ended_at ?? stop.eta_at ?? stop.planned_at, zone)}</span></span>
            </button>
          </li><Pauses after={stop.id} /></Fragment>)}
      </ol>
    </section>
  );
}

function wordFor(stop: Stop): string {
  if (stop.state === "dispatched") return "Open";
  return stop.state === "en_route" ? "Next" : stateWord(stop.state, stop.kind);
}

function watchRoute(): void {
  const driving = route.value !== null && route.value.state === "in_progress";
  if (driving) follow();
  else if (route.value?.state === "closed" && sight.value !== "off") rest();
}

async function begin(): Promise<void> {
  render(<App />, root);
  await outbox.open(root.dataset.driver ?? "", (heard) => {
    notes.value = heard;
    void refresh();
  });
  await refresh();
  route.subscribe(watchRoute);
  setInterval(() => document.visibilityState === "visible" && void refresh(), 15_000);
  setInterval(() => void sendFixes(), 5_000);
  setInterval(() => (minute.value = Date.now()), 30_000);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void refresh());
}

void begin();
