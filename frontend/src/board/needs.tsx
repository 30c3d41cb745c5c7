// What needs a person: flags, orders without a place, stops in no route.

import { useState } from "preact/hooks";
import { clearFlag } from "./acts";
import { Moment } from "./parts";
import { because } from "./plan";
import { chosenStop, inserting, mayWrite, pinning, routes, state, unassigned, zoneOf } from "./state";
import type { LeftOut, Stop } from "./state";
import { span } from "../shared/time";
import { sentence } from "../shared/words";
import { busy } from "./state";

const FEW = 6; // flags, and stops in no route, that are shown at first
const MOST = 200;
const FLAG_WORDS: Record<string, string> = {
  stop_failed: "Failed stop",
  proof_not_delivered: "Proof",
  message_failed: "Message",
  order_without_stop: "Order",
  connection_expired: "Connection",
  driver_lost: "Driver",
  not_redistributed: "Lost its route",
  goods_lost: "Goods",
  text_limit: "Messages",
};

export function Needs() {
  const found = state.value;
  if (!found) return null;
  const total = found.flags.length + found.waiting.length + unassigned.value.length;
  return (
    <section class="panel" aria-labelledby="needs">
      <h2 id="needs" class="panel-head">Needs you <span class="tally" data-some={total > 0 || undefined}>{total}</span></h2>
      {total === 0 && <p class="panel-empty">Nothing waits for you.</p>}
      <Flags />
      <WaitingOrders />
      <Unassigned />
    </section>
  );
}

function Flags() {
  const found = state.value;
  const [all, showAll] = useState(false);
  if (!found || found.flags.length === 0) return null;
  const known = new Set(found.stops.map((s) => s.id));
  const zone = found.depots[0]?.timezone ?? "UTC";
  const shown = all ? found.flags : found.flags.slice(0, FEW);
  return (
    <>
      <ul class="items">
        {shown.map((flag) => (
          <li key={flag.id} class="item flag">
            <div class="grow">
              <p>{flag.text}</p>
              <p class="quiet small">{FLAG_WORDS[flag.kind] ?? flag.kind.replaceAll("_", " ")} · <Moment at={flag.raised_at} zone={zone} relative /></p>
            </div>
            {known.has(flag.subject) && <button type="button" class="button plain" onClick={() => (chosenStop.value = flag.subject)}>Show</button>}
            <button type="button" class="button plain" disabled={busy.value.has(`flag ${flag.id}`)} onClick={() => void clearFlag(flag)} aria-label={`Clear: ${flag.text}`}>Clear</button>
          </li>
        ))}
      </ul>
      {shown.length < found.flags.length && <p class="panel-empty"><button type="button" class="button plain" onClick={() => showAll(true)}>Show all {found.flags.length} flags</button></p>}
    </>
  );
}

function WaitingOrders() {
  const found = state.value;
  if (!found || found.waiting.length === 0) return null;
  return (
    <>
      <h3 class="panel-sub">Needs an address <span class="quiet">{found.waiting.length}</span></h3>
      <ul class="items">
        {found.waiting.map((order) => (
          <li key={order.id} class="item" aria-current={pinning.value?.id === order.id ? "true" : undefined}>
            <div class="grow">
              <p><span class="strong">{order.name || order.ref}</span> <span class="quiet">{order.name ? order.ref : ""}</span></p>
              <p>{order.address || "No address given"}</p>
              <p class="quiet small">{order.reason}</p>
            </div>
            {mayWrite && (
              <button type="button" class="button" disabled={busy.value.has(`pin ${order.id}`)} onClick={() => (pinning.value = pinning.value?.id === order.id ? null : order)}>
                {pinning.value?.id === order.id ? "Cancel" : "Set the pin"}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Why a stop is in no route and what would make it fit; where no plan has said so, its address. */
function LeftWords(props: { stop: Stop; left: LeftOut | undefined }) {
  const { stop, left } = props;
  if (!left) return <span class="quiet small block cut">{stop.address}</span>;
  return (
    <>
      <span class="small block">{because(left)}</span>
      {left.place && <span class="quiet small block">{left.place}</span>}
      {left.fits && <span class="small block fits">{sentence(left.fits)}</span>}
    </>
  );
}

function Unassigned() {
  const list = unassigned.value;
  const open = routes.value.some((r) => ["ready", "loaded", "in_progress"].includes(r.state));
  const [all, showAll] = useState(false);
  const left = new Map((state.value?.depots ?? []).flatMap((d) => (d.plan?.unserved ?? []).map((u) => [u.stop, u] as const)));
  if (list.length === 0) return null;
  const shown = list.slice(0, all ? MOST : FEW);
  return (
    <>
      <h3 class="panel-sub">In no route <span class="quiet">{list.length}</span></h3>
      <ul class="items">
        {shown.map((stop) => (
          <li key={stop.id} class="item">
            <button type="button" class="item-main grow" onClick={() => (chosenStop.value = stop.id)}>
              <span class="strong">{stop.name || stop.ref}</span> <span class="quiet">{span(stop.window_start, stop.window_end, zoneOf(stop.depot))}</span>
              <LeftWords stop={stop} left={left.get(stop.id)} />
            </button>
            {mayWrite && open && <button type="button" class="button" onClick={() => (inserting.value = stop.id)}>Put into a route</button>}
          </li>
        ))}
      </ul>
      {!all && list.length > FEW && <p class="panel-empty"><button type="button" class="button plain" onClick={() => showAll(true)}>Show all {list.length}</button></p>}
      {all && list.length > MOST && <p class="panel-empty">and {list.length - MOST} more: plan the day to put them into routes.</p>}
    </>
  );
}
