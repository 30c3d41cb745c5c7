// Small parts that the board's panels share.

import type { ComponentChildren } from "preact";
import { exact, hour, near } from "../shared/time";
import { stateWord } from "../shared/words";
import { busy, tick } from "./state";
import { act } from "./acts";

export function Chip(props: { state: string; kind?: string; title?: string }) {
  return <span class="chip" data-state={props.state} title={props.title}>{stateWord(props.state, props.kind)}</span>;
}

export function Moment(props: { at: string | null; zone: string; relative?: boolean }) {
  if (!props.at) return <span class="quiet">–</span>;
  if (props.relative) tick.value;
  return (
    <time dateTime={props.at} title={exact(props.at, props.zone)}>
      {props.relative ? near(props.at, props.zone) : hour(props.at, props.zone)}
    </time>
  );
}

export function Act(props: { name: string; run: () => Promise<unknown>; main?: boolean; plain?: boolean; done?: string; disabled?: boolean; children: ComponentChildren }) {
  const running = busy.value.has(props.name);
  return (
    <button
      type="button"
      class={`button${props.main ? " main" : ""}${props.plain ? " plain" : ""}`}
      disabled={running || props.disabled}
      aria-busy={running}
      onClick={() => void act(props.name, props.run, props.done)}
    >
      {props.children}
    </button>
  );
}

/** A colour from data, which the Content-Security-Policy lets in through the CSSOM only. */
export function Dot(props: { colour: string }) {
  return <span class="dot" aria-hidden="true" ref={(node) => { if (node) node.style.background = props.colour; }} />;
}
