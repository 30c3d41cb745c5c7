// Asks for one thing one question at a time, so that an old answer never overwrites a newer one.

// A question that nobody answers must not keep the next one waiting for ever.
const LONGEST = 30_000;

/** Return `ask` made to take turns: calls that come while it runs share one more run after it. */
export function inTurn(ask: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function begin(): Promise<void> {
    next = null;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), LONGEST);
    running = ask(limit.signal).finally(() => {
      clearTimeout(timer);
      running = null;
    });
    return running;
  }

  return () => {
    if (running) next ??= running.then(begin, begin);
    return next ?? begin();
  };
}
