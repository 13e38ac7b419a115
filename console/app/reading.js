/**
 * What one screen shows alone: read when it opens, then again while it is looked at. A late answer
 * never replaces a newer one, and none is taken once the screen is left.
 */

import { listen, session } from './api.js';
import { watched } from './data.js';
import { useEffect, useRef, useState } from './vendor/preact-htm.js';

const CALM = 15_000; // between two readings
const BUSY = 5_000; // while the host is away

/** Give `{found, problem, reload}`: `read({signal})` is asked for anew whenever `of` changes. */
export function useReading(read, of = []) {
  const [shown, show] = useState({ found: null, problem: null });
  const held = useRef({ timer: 0, flight: null }).current;
  function again() {
    clearTimeout(held.timer);
    held.timer = setTimeout(() => (watched() ? reload() : again()), session.away ? BUSY : CALM);
  }
  function reload() {
    held.flight?.abort();
    const flight = new AbortController();
    held.flight = flight;
    return read({ signal: flight.signal }).then(
      (found) => flight === held.flight && show({ found, problem: null }),
      (problem) => flight === held.flight && show((before) => ({ ...before, problem })),
    ).finally(() => flight === held.flight && again());
  }
  useEffect(() => {
    show({ found: null, problem: null });
    reload();
    const back = () => watched() && reload();
    let { ended } = session;
    const unlisten = listen(() => { // signed in again
      if (ended && !session.ended) back();
      ended = session.ended;
    });
    for (const event of ['visibilitychange', 'focus']) window.addEventListener(event, back);
    return () => {
      const { flight, timer } = held;
      held.flight = null;
      flight.abort();
      clearTimeout(timer);
      unlisten();
      for (const event of ['visibilitychange', 'focus']) window.removeEventListener(event, back);
    };
  }, of);
  return { ...shown, reload };
}
