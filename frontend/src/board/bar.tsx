// The line above the board: which day, which depot, how it goes, and whether the news are fresh.

import { dayName, exact, hour, hubNow, shiftDay } from "../shared/time";
import { count } from "../shared/words";
import { day, depot, heardAt, link, showDay, state, stops, tick } from "./state";

export function Bar() {
  const found = state.value;
  if (!found) return null;
  return (
    <div class="bar">
      <DayPicker day={found.day} today={found.today} />
      {found.depots.length > 1 && (
        <label class="row tight bar-depot">
          <span class="unseen">Depot</span>
          <select value={depot.value} onChange={(e) => (depot.value = e.currentTarget.value)}>
            <option value="">All depots</option>
            {found.depots.map((d) => <option key={d.id} value={d.id}>{d.name}</option>)}
          </select>
        </label>
      )}
      <p class="quiet small bar-count">{count(found.orders, "order")}, {count(stops.value.length, "stop")}</p>
      <dl class="bar-figures" aria-label="The day in numbers">
        {found.figures.map((f) => (
          <div key={f.name} class="bar-figure" title={f.detail}>
            <dt>{f.label}</dt>
            <dd>{f.text}<span class="unseen">: {f.detail}</span></dd>
          </div>
        ))}
      </dl>
      <Freshness />
    </div>
  );
}

function DayPicker(props: { day: string; today: string }) {
  const show = (day: string) => showDay(day === props.today ? "" : day);
  const chosen = () => day.peek() || props.today; // two clicks in a row are two days, whatever is shown yet
  return (
    <div class="row tight bar-day">
      <button type="button" class="button plain icon" aria-label="The day before" onClick={() => show(shiftDay(chosen(), -1))}>‹</button>
      <label class="bar-date">
        <span class="unseen">Day</span>
        <span aria-hidden="true" class="strong">{dayName(props.day)}</span>
        <input type="date" value={props.day} onChange={(e) => e.currentTarget.value && show(e.currentTarget.value)} onClick={(e) => { try { e.currentTarget.showPicker(); } catch { /* older browsers open it by themselves */ } }} />
      </label>
      <button type="button" class="button plain icon" aria-label="The day after" onClick={() => show(shiftDay(chosen(), 1))}>›</button>
      {props.day !== props.today && <button type="button" class="button plain" onClick={() => showDay("")}>Today</button>}
    </div>
  );
}

function Freshness() {
  tick.value;
  const zone = state.value?.depots[0]?.timezone ?? "UTC";
  const now = new Date(hubNow()).toISOString();
  const words = { live: "Live", polling: "Every 10 s", offline: "Offline" }[link.value];
  return (
    <p class="bar-live small" data-link={link.value} role="status" title={`Hub time ${exact(now, zone)}`}>
      <span class="dot" aria-hidden="true" /> {words} <time class="strong" dateTime={now}>{hour(now, zone)}</time>
    </p>
  );
}

/** Said across the board when what it shows may be old. */
export function Stale() {
  tick.value;
  if (link.value !== "offline" || !heardAt.value) return null;
  const minutes = Math.floor((Date.now() - heardAt.value) / 60_000);
  return (
    <p class="notice warn stale" role="alert">
      The hub cannot be reached. You see the day as it was {minutes < 1 ? "a moment" : `${minutes} min`} ago; the board goes on by itself as soon as it answers.
    </p>
  );
}
