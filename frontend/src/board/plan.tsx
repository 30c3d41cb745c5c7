// A plan: how its search goes, what came of it and why, each route along the clock.

import { send } from "../shared/api";
import { hour } from "../shared/time";
import { count, sentence } from "../shared/words";
import { stopPlan } from "./acts";
import { Dialog, useAnswer } from "./dialogs";
import type { Depot, Plan } from "./state";
import { busy, chosenStop, drivers, explaining, mayWrite, state, zoneOf } from "./state";

const TRACED = 200; // finds of a search that its curve remembers
const traces = new Map<string, [seconds: number, cost: number][]>();

export function PlanWords(props: { depot: Depot }) {
  const made = props.depot.plan;
  if (!made) return null;
  if (made.state === "failed") return <p class="notice bad inset">The plan failed: {made.reason}</p>;
  if (made.state !== "done") return <Search plan={made} name={props.depot.name} />;
  const left = made.unserved.length;
  return (
    <>
      {made.failed && <p class="notice bad inset">The last plan failed: {sentence(made.failed)} The drafts are still those of the plan before it.</p>}
      <p class="small inset plan-words">
        {left > 0 && <span class="strong">{count(left, "stop")} did not fit, see above. </span>}
        <span class="quiet">
          {made.why && `${sentence(made.why)} `}
          {made.approximate && "Travel times are approximate: straight lines, not roads. "}
        </span>
        {mayWrite && <button type="button" class="link" onClick={() => (explaining.value = made.id)}>Look at the plan</button>}
      </p>
    </>
  );
}

/** A search under way: how long still, how the cost falls, and the way to end it. */
function Search(props: { plan: Plan; name: string }) {
  const { plan } = props;
  const { cost, left_out: left, seconds = 0, of = 0 } = plan.progress;
  const trace = traceOf(plan);
  const saved = trace.length > 1 ? 100 * (1 - trace.at(-1)![1] / trace[0]![1]) : 0;
  const stopping = plan.stop_asked || busy.value.has(`stop ${plan.id}`);
  return (
    <div class="search inset" role="status">
      {of > 0 ? <progress max={of} value={Math.min(seconds, of)} aria-label={`Planning ${props.name}`} /> : <progress aria-label={`Planning ${props.name}`} />}
      <p class="small grow">
        {cost === undefined ? "Reading the roads and making a first plan …" : `${Math.round(seconds)} of ${Math.round(of)} s. `}
        {saved >= 0.05 && <><span class="strong">{saved.toFixed(1)} % cheaper</span> than the first find. </>}
        {left !== undefined && left > 0 && `${count(left, "stop")} left out so far.`}
      </p>
      <Curve trace={trace} />
      {mayWrite && (
        <button type="button" class="button" disabled={stopping} aria-busy={stopping} title="End the search with the best plan found so far" onClick={() => void stopPlan(plan.id)}>
          {stopping ? "Stopping …" : "Stop here"}
        </button>
      )}
    </div>
  );
}

function traceOf(plan: Plan): [number, number][] {
  const known = traces.get(plan.id) ?? [];
  const { cost, seconds } = plan.progress;
  if (cost !== undefined && seconds !== undefined && known.at(-1)?.[0] !== seconds) known.push([seconds, cost]);
  traces.set(plan.id, known.slice(-TRACED));
  return known;
}

function Curve(props: { trace: [number, number][] }) {
  const { trace } = props;
  if (trace.length < 2) return null;
  const costs = trace.map(([, cost]) => cost);
  const [low, high] = [Math.min(...costs), Math.max(...costs)];
  const [from, to] = [trace[0]![0], trace.at(-1)![0]];
  const points = trace.map(([at, cost]) => `${(60 * (at - from)) / (to - from || 1)},${2 + (16 * (high - cost)) / (high - low || 1)}`);
  return <svg class="curve" width="60" height="20" viewBox="0 0 60 20" aria-hidden="true"><polyline points={points.join(" ")} /></svg>;
}

interface Moment { stop: string; begins: number; leaves: number; driving: number; waiting: number; slack: number; loads: number[] }
interface Pause { kind: string; begins: number; ends: number }
interface Timeline { vehicle: string; starts: number; ends: number; metres: number; driving: number; waiting: number; service: number; slack: number; loads: number[]; moments: Moment[]; pauses: Pause[] }
interface Told {
  depot: { id: string; name: string }; midnight: string; metres: number; seconds: number;
  routes: { driver: { id: string; name: string }; timeline: Timeline }[];
  left_out: { stop: string; ref: string; reason: string; fits: string; place: string }[];
  names: Record<string, string>;
  changes: { moved: { stop: string; before: string; after: string }[]; reordered: string[]; served: string[]; left_out: string[]; metres: number; seconds: number } | null;
}

export function PlanDialog(props: { id: string }) {
  const { found, error } = useAnswer(() => send<Told>("GET", `/api/v1/plans/${props.id}/explanation`));
  const depot = state.value?.depots.find((d) => d.plan?.id === props.id);
  const close = () => (explaining.value = "");
  return (
    <Dialog title={`The plan of ${depot?.name ?? "the day"}`} close={close} broad>
      {error && <p class="notice bad">{error}</p>}
      {!found && !error && <progress aria-label="Loading the plan" />}
      {found && (
        <>
          <p class="answer-line">{count(found.routes.length, "route")}, {kilometres(found.metres)}, {lasting(found.seconds)} of work</p>
          {depot?.plan?.why && <p class="quiet">{sentence(depot.plan.why)}{depot.plan.approximate && " Travel times are approximate: straight lines, not roads."}</p>}
          <Left told={found} close={close} />
          <Changes told={found} />
          <Clock told={found} zone={zoneOf(found.depot.id)} />
        </>
      )}
    </Dialog>
  );
}

const NAMED = 12; // stops that are named of one reason

/** Why a stop was left out, without the nameless "it fits if" where the one with names follows. */
export function because(left: { reason: string; fits: string }): string {
  return sentence(left.fits ? left.reason.split("; it fits if ")[0]! : left.reason);
}

/** Why stops were left out and what would make them fit, those of the same reason together. */
function Left(props: { told: Told; close: () => void }) {
  const { left_out: left } = props.told;
  if (left.length === 0) return null;
  const reasons = new Map<string, typeof left>();
  for (const one of left) {
    const key = `${because(one)} ${one.fits}`;
    reasons.set(key, [...(reasons.get(key) ?? []), one]);
  }
  const show = (stop: string) => { props.close(); chosenStop.value = stop; };
  return (
    <section class="stack tight">
      <h3>{count(left.length, "stop")} did not fit</h3>
      <ul class="left-out">
        {[...reasons].sort(([, a], [, b]) => b.length - a.length).map(([key, same]) => (
          <li key={key}>
            <p><span class="strong">{same.length > 1 && `${same.length} × `}</span>{because(same[0]!)} {same[0]!.fits && <span class="fits">{sentence(same[0]!.fits)}</span>}</p>
            <p class="small row tight">
              {same.slice(0, NAMED).map((one) => <button key={one.stop} type="button" class="link" onClick={() => show(one.stop)}>{one.ref || "A stop"}{one.place && `: ${one.place}`}</button>)}
              {same.length > NAMED && <span class="quiet">and {same.length - NAMED} more</span>}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Changes(props: { told: Told }) {
  const { changes, names } = props.told;
  if (!changes) return null;
  const figures = [differs(changes.metres / 1000, "km"), workDiffers(changes.seconds)].filter(Boolean);
  const said = [
    changes.moved.length && `${count(changes.moved.length, "stop")} with another driver`,
    changes.reordered.length && `${count(changes.reordered.length, "stop")} earlier or later with the same one`,
    changes.served.length && `${count(changes.served.length, "stop")} more in a route`,
    changes.left_out.length && `${count(changes.left_out.length, "stop")} in no route any more`,
  ].filter(Boolean);
  const name = (id: string) => drivers.value.get(id)?.name ?? "a driver";
  return (
    <section class="stack tight">
      <h3>Since the plan before</h3>
      <p>{said.length + figures.length === 0 ? "Nothing is different." : `${[...said, ...figures].join(", ")}.`}</p>
      {changes.moved.length > 0 && (
        <details>
          <summary class="small">Which stops moved</summary>
          <ul class="small">{changes.moved.slice(0, 100).map((m) => <li key={m.stop}>{names[m.stop] ?? "A stop"}: {name(m.before)} → {name(m.after)}</li>)}</ul>
        </details>
      )}
    </section>
  );
}

/** All routes on one axis of hours: driving thin, at doors full, waiting hollow, breaks hatched. */
function Clock(props: { told: Told; zone: string }) {
  const { told, zone } = props;
  if (told.routes.length === 0) return null;
  const first = Math.floor(Math.min(...told.routes.map((r) => r.timeline.starts)) / 3600) * 3600;
  const last = Math.ceil(Math.max(...told.routes.map((r) => r.timeline.ends)) / 3600) * 3600;
  const at = (second: number) => hour(new Date(Date.parse(told.midnight) + second * 1000).toISOString(), zone);
  const hours = Array.from({ length: (last - first) / 3600 + 1 }, (_, n) => first + n * 3600);
  const every = Math.ceil(hours.length / 7);
  return (
    <section class="stack tight">
      <h3>Along the clock</h3>
      <p class="small quiet key"><span data-part="drive">driving</span><span data-part="door">at a door</span><span data-part="wait">waiting</span><span data-part="break">break or reload</span><span data-part="load">load on board</span></p>
      <div class="clock-hours small quiet" aria-hidden="true">{hours.slice(0, -1).filter((_, n) => n % every === 0).map((h) => <span key={h}>{at(h)}</span>)}</div>
      {told.routes.map((r) => <Strip key={r.driver.id} route={r} first={first} last={last} at={at} names={told.names} />)}
    </section>
  );
}

function Strip(props: { route: Told["routes"][number]; first: number; last: number; at: (second: number) => string; names: Record<string, string> }) {
  const { route: { driver, timeline }, first, last, at, names } = props;
  const x = (second: number) => (1000 * (second - first)) / (last - first);
  const most = Math.max(1, timeline.loads[0] ?? 0, ...timeline.moments.map((m) => m.loads[0] ?? 0));
  const y = (load: number | undefined) => 34 - (14 * (load ?? 0)) / most;
  const load = [`${x(timeline.starts)},${y(timeline.loads[0])}`, ...timeline.moments.flatMap((m, n) => [`${x(m.leaves)},${y((timeline.moments[n - 1] ?? timeline).loads[0])}`, `${x(m.leaves)},${y(m.loads[0])}`]), `${x(timeline.ends)},${y(timeline.moments.at(-1)?.loads[0])}`];
  const said = [`${at(timeline.starts)}–${at(timeline.ends)}`, count(timeline.moments.length, "stop"), kilometres(timeline.metres), timeline.waiting >= 60 && `${lasting(timeline.waiting)} waiting`, slackOf(timeline.slack)].filter(Boolean).join(" · ");
  return (
    <details class="strip">
      <summary>
        <span class="row tight"><span class="strong">{driver.name}</span> <span class="small quiet">{said}</span></span>
        <svg viewBox="0 0 1000 36" preserveAspectRatio="none" aria-hidden="true" style={{ "--tone": drivers.value.get(driver.id)?.colour ?? "gray" }}>
          <line class="drive" x1={x(timeline.starts)} x2={x(timeline.ends)} y1="9" y2="9" />
          {timeline.moments.map((m) => m.waiting >= 60 && <rect key={`w${m.stop}`} class="wait" x={x(m.begins - m.waiting)} width={x(m.begins) - x(m.begins - m.waiting)} y="4" height="10" />)}
          {timeline.pauses.map((p) => <rect key={p.begins} class="break" x={x(p.begins)} width={x(p.ends) - x(p.begins)} y="4" height="10" />)}
          {timeline.moments.map((m) => <rect key={m.stop} class="door" x={x(m.begins)} width={Math.max(2, x(m.leaves) - x(m.begins))} y="2" height="14" />)}
          <polyline class="load" points={load.join(" ")} />
        </svg>
      </summary>
      <div class="wide">
        <table class="small moments">
          <thead><tr><th>Stop</th><th>Drive to it</th><th>Arrives</th><th>Waits</th><th>Leaves</th><th>Could be later by</th><th>On board then</th></tr></thead>
          <tbody>
            {timeline.moments.map((m) => (
              <tr key={m.stop}><td>{names[m.stop] ?? ""}</td><td>{lasting(m.driving)}</td><td>{at(m.begins - m.waiting)}</td><td>{m.waiting >= 60 ? lasting(m.waiting) : "–"}</td><td>{at(m.leaves)}</td><td>{lasting(m.slack)}</td><td>{m.loads.join(" / ") || "–"}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function slackOf(seconds: number): string {
  return seconds < 60 ? "no time to spare" : `could begin ${lasting(seconds)} later`;
}

function differs(amount: number, unit: string): string {
  const shown = Math.abs(amount) < 10 ? Math.abs(amount).toFixed(1) : Math.round(Math.abs(amount)).toString();
  return Number(shown) === 0 ? "" : `${shown} ${unit} ${amount < 0 ? "less" : "more"}`;
}

function workDiffers(seconds: number): string {
  return Math.abs(seconds) < 60 ? "" : `${lasting(Math.abs(seconds))} of work ${seconds < 0 ? "less" : "more"}`;
}

const kilometres = (metres: number) => `${(metres / 1000).toFixed(metres < 10_000 ? 1 : 0)} km`;

/** "12 min", "2 h 05". */
function lasting(seconds: number): string {
  const minutes = seconds > 0 ? Math.max(1, Math.round(seconds / 60)) : 0;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}
