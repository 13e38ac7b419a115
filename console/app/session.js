/**
 * What the page knows of its session and of the host's two clocks, and who is told of a change.
 * No key, token or value is here: those are in the variables of api.js.
 */

import { allows } from './roles.js';

const heard = { at: Date.now(), mono: performance.now() }; // the lifecycle's, which may be moved
const issued = { ...heard }; // that keys and tokens live by, which nobody can move
const MINUTE = 60_000;

/** What the views may know of the session. */
export const session = { signed: false, ended: false, away: false, moved: 0, renews: false, ends: 0, region: null, slots: null, self: null, why: '' };
const listeners = new Set();
export const listen = (told) => { listeners.add(told); return () => listeners.delete(told); };

/** Change what is known, and have listeners told. */
export function tell(changes) {
  if (Object.entries(changes).every(([name, value]) => Object.is(session[name], value))) return;
  Object.assign(session, changes);
  for (const told of [...listeners]) told();
}

const shown = (clock) => clock.at + performance.now() - clock.mono;

/** Give the host's time of projects in milliseconds: never the browser's. */
export const now = () => shown(heard);

/** Give the host's time of keys and tokens in milliseconds. */
export const wall = () => shown(issued);

/** True if the session's roles allow a verb. */
export const may = (verb) => Boolean(session.self) && allows(session.self.roles, session.self.project, verb);

/** Take from an answer's head what it tells of the host. */
export function hear(headers) {
  const moment = Date.parse(headers.get('X-Reprieve-Now'));
  if (moment) Object.assign(heard, { at: moment, mono: performance.now() });
  const ahead = moment ? now() - Date.now() : session.moved;
  const region = headers.get('X-Reprieve-Region');
  const slots = headers.get('X-Reprieve-Project-Slots');
  tell({ away: false, moved: Math.abs(ahead) > MINUTE ? Math.round(ahead / MINUTE) * MINUTE : 0, ...(region && { region, slots: Number(slots) || null }) });
}

/** Take from a new token when it was issued. */
export const date = (seconds) => { if (seconds) Object.assign(issued, { at: seconds * 1000, mono: performance.now() }); };
