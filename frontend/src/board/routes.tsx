// The day's routes, depot by depot: who drives, how far, what is next, what is late.

import { Fragment } from "preact";
import { plan, publishAll } from "./acts";
import { Chip, Dot, Moment } from "./parts";
import { PlanWords } from "./plan";
import type { Depot, Driver, Route, Stop } from "./state";
import { ENDED, busy, chosenRoute, chosenStop, depots, drivers, linking, mayWrite, routes, state, stops, stopsByRoute, zoneOf } from "./state";
import { span } from "../shared/time";
import { count, reasonWord } from "../shared/words";

export function Routes() {
  const found = state.value;
  if (!found) return null;
  if (found.depots.length === 0) return <NoFleet />;
  const used = (d: Depot) => Number(stops.value.some((s) => s.depot === d.id));
  const ordered = [...depots.value].sort((a, b) => used(b) - used(a));
  return <>{ordered.map((d) => <DepotDay key={d.id} depot={d} date={found.day} />)}</>;
}

function DepotDay(props: { depot: Depot; date: string }) {
  const own = routes.value.filter((r) => r.depot === props.depot.id);
  const here = stops.value.filter((s) => s.depot === props.depot.id);
  const nobody = ![...drivers.value.values()].some((d) => d.depot === props.depot.id);
  const drafts = own.filter((r) => r.state === "draft").map((r) => r.id);
  const open = here.filter((s) => s.state === "unassigned" || s.state === "planned").length;
  const running = ["waiting", "running"].includes(props.depot.plan?.state ?? "") || busy.value.has(`plan ${props.depot.id}`);
  return (
    <section class="panel" aria-labelledby={props.depot.id}>
      <div class="panel-head depot-head">
        <h2 id={props.depot.id} class="grow cut">{props.depot.name}</h2>
        {mayWrite && (
          <div class="row tight">
            {(open > 0 || running) && (
              <button type="button" class="button" disabled={running} aria-busy={running} onClick={() => void plan(props.depot.id, props.date)}>
                {running ? "Planning …" : drafts.length > 0 ? "Plan again" : `Plan ${count(open, "stop")}`}
              </button>
            )}
            {drafts.length > 0 && !running && (
              <button type="button" class="button" title="Search on from these drafts, new stops included" onClick={() => void plan(props.depot.id, props.date, true)}>Improve</button>
            )}
            {drafts.length > 0 && (
              <button type="button" class="button main" disabled={running || busy.value.has("publish")} aria-busy={busy.value.has("publish")} onClick={() => void publishAll(drafts)}>
                Publish {count(drafts.length, "route")}
              </button>
            )}
          </div>
        )}
      </div>
      <PlanWords depot={props.depot} />
      {own.map((r) => <RouteCard key={r.id} route={r} list={stopsByRoute.value.get(r.id) ?? []} />)}
      {own.length === 0 && <NoRoutes stops={here.length} orders={state.value?.orders ?? 0} nobody={nobody} />}
      <Idle depot={props.depot} own={own} />
    </section>
  );
}

function NoFleet() {
  return (
    <section class="panel" aria-labelledby="first">
      <h2 id="first" class="panel-head">Begin here</h2>
      <p class="panel-empty">There is no depot yet. <a href="/admin/fleet">Set up the fleet</a>: a depot, a vehicle, a driver with hours. Then <a href="/admin/imports">import orders</a>, or let a shop send them, and plan the day here.</p>
    </section>
  );
}

function NoRoutes(props: { stops: number; orders: number; nobody: boolean }) {
  if (props.nobody) return <p class="panel-empty">Nobody drives from here yet. <a href="/admin/fleet">Add a driver</a> with a vehicle and hours before you plan.</p>;
  if (props.stops > 0) return <p class="panel-empty">No routes yet. Plan the day to make drafts; nothing reaches a driver before you publish.</p>;
  if (props.orders > 0) return <p class="panel-empty">No stops here on this day.</p>;
  return <p class="panel-empty">No orders for this day yet. <a href="/admin/imports">Import a file</a>, or let a shop send them.</p>;
}

function Idle(props: { depot: Depot; own: Route[] }) {
  const working = new Set(props.own.map((r) => r.driver));
  const idle = [...drivers.value.values()].filter((d) => d.depot === props.depot.id && !working.has(d.id));
  if (idle.length === 0 || props.own.length === 0) return null;
  return <p class="quiet small inset">Without a route: {idle.map((d) => d.name).join(", ")}</p>;
}

function RouteCard(props: { route: Route; list: Stop[] }) {
  const { route, list } = props;
  const driver = drivers.value.get(route.driver);
  const chosen = chosenRoute.value === route.id;
  const done = list.filter((s) => ENDED.has(s.state)).length;
  const late = list.filter((s) => s.late > 0 && !ENDED.has(s.state)).length;
  const failed = list.filter((s) => s.state === "failed").length;
  const next = list.find((s) => !ENDED.has(s.state) && s.state !== "skipped");
  const zone = zoneOf(route.depot);
  return (
    <article class="route" aria-current={chosen ? "true" : undefined}>
      <div class="route-head">
        <button type="button" class="route-open" aria-expanded={chosen} onClick={() => (chosenRoute.value = chosen ? "" : route.id)}>
          <Dot colour={driver?.colour ?? "gray"} />
          <span class="strong cut">{driver?.name ?? "No driver"}</span>
          <span class="number quiet">{done}/{list.length}</span>
          <span class="grow" />
          {late > 0 && <span class="chip" data-state="late">{late} late</span>}
          {failed > 0 && <span class="chip" data-state="failed">{failed} failed</span>}
          {route.state !== "in_progress" && <Chip state={route.state} />}
        </button>
        {mayWrite && driver && (
          <button type="button" class="button plain icon" aria-label={`Link for ${driver.name}'s phone`} title="Link for the driver's phone" onClick={() => (linking.value = driver.id)}>
            <PhoneIcon />
          </button>
        )}
      </div>
      <progress class="route-bar" max={Math.max(1, list.length)} value={done} aria-label={`${done} of ${list.length} stops done`} />
      {!chosen && <NextLine route={route} next={next} zone={zone} driver={driver} />}
      {chosen && <StopList list={list} zone={zone} pauses={route.pauses} />}
    </article>
  );
}

function NextLine(props: { route: Route; next: Stop | undefined; zone: string; driver: Driver | undefined }) {
  const { route, next, zone } = props;
  if (!next) return null;
  if (route.state === "draft" || route.state === "ready") {
    return <p class="route-next quiet small">Leaves <Moment at={route.starts_at} zone={zone} />, back <Moment at={route.ends_at} zone={zone} />, {(route.metres / 1000).toFixed(0)} km</p>;
  }
  return (
    <p class="route-next quiet small cut">
      {next.state === "arrived" ? "At" : "Next"} {next.position}. {next.name || next.ref} <Moment at={next.state === "arrived" ? next.arrived_at : next.eta_at ?? next.planned_at} zone={zone} relative />
      {next.late > 0 && <span class="late"> · {next.late} min late</span>}
    </p>
  );
}

function Pauses(props: { of: Route["pauses"]; after: string }) {
  return <>{props.of.filter((p) => p.after === props.after).map((p) => <li key={p.text} class="pause small">{p.text}</li>)}</>;
}

function StopList(props: { list: Stop[]; zone: string; pauses: Route["pauses"] }) {
  if (props.list.length === 0) return <p class="panel-empty">This route has no stops.</p>;
  return (
    <ol class="stops">
      <Pauses of={props.pauses} after="" />
      {props.list.map((stop) => <Fragment key={stop.id}><li aria-current={chosenStop.value === stop.id ? "true" : undefined}>
          <button type="button" class="stop" onClick={() => (chosenStop.value = stop.id)}>
            <span class="stop-number number">{stop.position}</span>
            <span class="stop-name cut">{stop.name || stop.ref}{stop.ad_hoc && <span class="quiet small"> · added</span>}</span>
            <span class="stop-window number quiet">{span(stop.window_start, stop.window_end, props.zone)}</span>
            <span class="stop-time"><StopTime stop={stop} zone={props.zone} /></span>
            <span class="stop-state"><Chip state={stop.state} kind={stop.kind} title={stop.reason ? reasonWord(stop.reason) : undefined} /></span>
            {(stop.late > 0 || stop.reason) && (
              <span class="stop-note small">
                {stop.late > 0 && <span class="late">{stop.late} min late</span>}
                {stop.late > 0 && stop.reason && " · "}
                {stop.reason && reasonWord(stop.reason)}
              </span>
            )}
          </button>
        </li><Pauses of={props.pauses} after={stop.id} /></Fragment>)}
    </ol>
  );
}

function StopTime(props: { stop: Stop; zone: string }) {
  const { stop, zone } = props;
  if (ENDED.has(stop.state)) return <Moment at={stop.ended_at ?? stop.arrived_at} zone={zone} />;
  if (stop.state === "arrived") return <Moment at={stop.arrived_at} zone={zone} />;
  return <span class={stop.late > 0 ? "late" : ""}><Moment at={stop.eta_at ?? stop.planned_at} zone={zone} relative /></span>;
}

function PhoneIcon() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
      <rect x="4" y="1.5" width="8" height="13" rx="1.5" /><path d="M7 12.2h2" />
    </svg>
  );
}
