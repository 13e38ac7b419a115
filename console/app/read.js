/**
 * Reading what one screen shows: at once, after a change, after a new sign-in and, where it is a
 * list, every 15 s while the page is looked at. A late answer never replaces a newer one.
 */

import { listen, session } from './api.js';
import { check } from './lapse.js';
import { useEffect, useRef, useState } from './vendor/preact-htm.js';

export const CALM = 15_000; // between two readings of a list

/** Give `{value, problem, load}`; `load()` gives the value, or nothing if there was a problem. */
export function useRead(read, calm = 0) {
  const [shown, show] = useState({ value: null, problem: null });
  const held = useRef({ flight: null, timer: 0, any: false }).current;
  const looked = () => !document.hidden && session.signed && !session.ended;
  held.load = async () => {
    held.flight?.abort();
    clearTimeout(held.timer);
    const flight = new AbortController();
    held.flight = flight;
    const put = (value) => {
      if (held.flight !== flight) return;
      held.any = true;
      show({ value, problem: null });
    };
    try {
      const value = await read({ signal: flight.signal, drawn: held.any ? undefined : put });
      put(value);
      return value;
    } catch (problem) {
      if (held.flight === flight) show((before) => ({ ...before, problem }));
      return undefined;
    } finally {
      if (calm && held.flight === flight) held.timer = setTimeout(held.again, calm);
    }
  };
  held.again = () => {
    clearTimeout(held.timer);
    check(); // a machine that slept long asks for nothing
    if (looked()) held.load();
    else held.timer = setTimeout(held.again, calm);
  };
  useEffect(() => {
    let ended = session.ended;
    const unlisten = listen(() => {
      if (ended && !session.ended && session.signed) held.load();
      ended = session.ended;
    });
    const back = () => calm && looked() && held.load();
    for (const event of ['visibilitychange', 'focus']) window.addEventListener(event, back);
    held.load();
    return () => {
      unlisten();
      for (const event of ['visibilitychange', 'focus']) window.removeEventListener(event, back);
      held.flight.abort();
      held.flight = null;
      clearTimeout(held.timer);
    };
  }, []);
  return { ...shown, load: () => held.load() };
}
