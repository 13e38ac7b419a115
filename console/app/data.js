/**
 * The projects, which several screens show: read at once, then again while the page is looked at,
 * and after each change. A late answer never replaces a newer one.
 */

import { listen, now, session } from './api.js';
import { check } from './lapse.js';
import { projects } from './operations.js';
import { useEffect, useState } from './vendor/preact-htm.js';

const CALM = 15_000; // between two readings
const BUSY = 5_000; // while something is being destroyed, or the host is away
const shown = { rows: null, problem: null };
const listeners = new Set();
let generation = 0;
let timer = 0;
let flight = null;
let newest = null;

function put(changes) {
  Object.assign(shown, changes);
  for (const told of [...listeners]) told();
}

/** Read the projects anew; gives them once the newest reading is over. */
export function load() {
  flight?.abort();
  flight = new AbortController();
  generation += 1;
  const [mine, signal] = [generation, flight.signal];
  const drawn = shown.rows ? undefined : (rows) => mine === generation && put({ rows });
  clearTimeout(timer);
  newest = projects({ signal, drawn }).then(
    (rows) => mine === generation && put({ rows, problem: null }),
    (problem) => mine === generation && !signal.aborted && put({ problem }),
  ).then(() => {
    if (mine !== generation) return newest;
    next();
    return shown.rows;
  });
  return newest;
}

function next() {
  const busy = session.away || (shown.rows || []).some((one) => one.status === 'hard_deleting' || due(one));
  clearTimeout(timer);
  timer = setTimeout(() => {
    check(); // a machine that slept long asks for nothing
    if (watched()) load();
    else if (timer) next();
  }, busy ? BUSY : CALM);
}

/** True while somebody looks, and may. */
const watched = () => !document.hidden && session.signed && !session.ended;
const due = (project) => project.deadline && project.deadline <= now();

/** Forget what was read, for whoever signs in next. */
export function clear() {
  generation += 1;
  flight?.abort();
  clearTimeout(timer);
  [timer, newest] = [0, null];
  put({ rows: null, problem: null });
}

for (const event of ['visibilitychange', 'focus']) {
  window.addEventListener(event, () => watched() && timer && load());
}

/** Draw again whenever the session or the projects change; gives both. */
export function useProjects() {
  const [, draw] = useState(0);
  useEffect(() => {
    const told = () => draw((count) => count + 1);
    listeners.add(told);
    const unlisten = listen(told);
    return () => { listeners.delete(told); unlisten(); };
  }, []);
  return { ...shown, session };
}

/** Give a project as it was last read. */
export const found = (id) => shown.rows?.find((one) => one.id === id);

/** What a project's status means for who looks at it. */
export function state(project) {
  if (project.status === 'active') return 'active';
  if (project.status === 'soft_deleted') return due(project) ? 'due' : 'deleted';
  return project.status.startsWith('hard_') ? 'ending' : 'other';
}
