// The price of one more stop for the routes of the day, and taking it.

import { useState } from "preact/hooks";
import { ApiError, send } from "../shared/api";
import { exact, hour, span } from "../shared/time";
import { count, sentence } from "../shared/words";
import { act } from "./acts";
import { Dialog, useAnswer } from "./dialogs";
import { busy, inserting, stops, zoneOf } from "./state";
import type { Stop } from "./state";

interface Later { stop: string; ref: string; name: string; seconds: number; late: number }
interface Price {
  driver_name: string; position: number; planned_at: string; extra_seconds: number; extra_metres: number; delayed: number;
  later: Later[]; own_late: number; approximate: boolean; offer: string;
}

/** What was answered: a place, or why there is none and perhaps the one that is late by the least. */
interface Answer { reason: string; price: Price | null }

async function ask(stop: string): Promise<Answer> {
  try {
    return { reason: "", price: await send<Price>("POST", `/api/v1/stops/${stop}/insert`, { dry: true }) };
  } catch (error) {
    const said = error instanceof ApiError ? (error.said as { errors?: { message: string }[]; least_late?: Price } | null) : null;
    if (!said?.least_late) throw error;
    return { reason: sentence(said.errors?.[0]?.message ?? ""), price: said.least_late };
  }
}

export function InsertDialog(props: { id: string }) {
  const stop = stops.value.find((s) => s.id === props.id);
  const [turn, again] = useState(0);
  const close = () => (inserting.value = "");
  return (
    <Dialog title={`Put ${stop?.name || stop?.ref || "the stop"} into a route`} close={close}>
      {stop && <Priced key={turn} stop={stop} close={close} again={() => again(turn + 1)} />}
    </Dialog>
  );
}

function Priced(props: { stop: Stop; close: () => void; again: () => void }) {
  const { stop, close } = props;
  const { found, error } = useAnswer(() => ask(stop.id));
  const name = `insert ${stop.id}`;
  if (error) return <p class="notice warn">{error}</p>;
  if (!found?.price) return <><p>Looking for the cheapest place that keeps every promise …</p><progress aria-label="Pricing" /></>;
  const { price, reason } = found;
  const accept = async () => {
    const wish = { offer: price.offer, even_late: reason !== "" };
    const put = await act(name, () => send("POST", `/api/v1/stops/${stop.id}/insert`, wish), `${stop.name || "The stop"} is in the route of ${price.driver_name}.`);
    if (!put) props.again(); // a route that has changed meanwhile has another price
    else if (inserting.peek() === stop.id) close(); // unless another stop is looked at by now
  };
  return (
    <>
      {reason && <p class="notice warn">{reason}</p>}
      <p class="answer-line">{reason && "Late by the least: "}{reason ? "as" : "As"} stop {price.position} of {price.driver_name}: {extra(price)}.</p>
      {reason ? <Late price={price} stop={stop} /> : <InTime price={price} stop={stop} />}
      <p class="row">
        <button type="button" class={reason ? "button" : "button main"} disabled={busy.value.has(name)} aria-busy={busy.value.has(name)} onClick={() => void accept()}>{reason ? "Put it in, late" : "Put it in"}</button>
        <button type="button" class="button" onClick={close}>Leave it</button>
      </p>
    </>
  );
}

function InTime(props: { price: Price; stop: Stop }) {
  const { price, stop } = props;
  return (
    <p class="quiet">
      <Arrival price={price} zone={zoneOf(stop.depot)} /> {price.delayed > 0 ? `${count(price.delayed, "other stop")} later by a minute or more, none after its promised window.` : "No other stop is reached later."}
      {price.approximate && " Travel times are approximate."}
    </p>
  );
}

/** Who becomes late by how much, one below the other, and what else it brings. */
function Late(props: { price: Price; stop: Stop }) {
  const { price, stop } = props;
  const zone = zoneOf(stop.depot);
  const late = price.later.filter((one) => one.late > 0);
  const inTime = price.later.length - late.length;
  return (
    <>
      <ul class="late-ones">
        {price.own_late > 0 && <li><span class="strong">{stop.name || stop.ref}</span> itself: <span class="late">{minutes(price.own_late)} after its window</span> ({span(stop.window_start, stop.window_end, zone)})</li>}
        {late.map((one) => (
          <li key={one.stop}>
            <span class="strong">{one.name || one.ref}</span>{one.name && <span class="quiet"> {one.ref}</span>}: <span class="late">{minutes(one.late)} after what was promised</span>
            {one.seconds < one.late - 30 && `, ${minutes(one.seconds)} of them because of this`}
          </li>
        ))}
      </ul>
      <p class="quiet">
        <Arrival price={price} zone={zone} /> {inTime > 0 ? `${count(inTime, "other stop")} later and still in time.` : "Nobody else is reached later."}
        {price.approximate && " Travel times are approximate."}
      </p>
    </>
  );
}

function Arrival(props: { price: Price; zone: string }) {
  const at = props.price.planned_at;
  return <>Arrives <span title={exact(at, props.zone)}>{hour(at, props.zone)}</span>.</>;
}

/** The time that it takes and the way, unless that is next to none. */
function extra(price: Price): string {
  const time = count(Math.max(0, Math.round(price.extra_seconds / 60)), "minute");
  const way = `${(Math.abs(price.extra_metres) / 1000).toFixed(1)} km`;
  if (way === "0.0 km") return `${time} more`;
  return price.extra_metres > 0 ? `${time} and ${way} more` : `${time} more, ${way} less`;
}

function minutes(seconds: number): string {
  return count(Math.max(1, Math.round(seconds / 60)), "minute");
}
