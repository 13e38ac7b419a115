/**
 * How the console reaches the host: one session, one clock, one way to ask. The key, the token and
 * a sign-in code live in the variables of this module and nowhere else; nothing else calls `fetch`.
 */

import { allows } from './roles.js';

const RENEW = 120_000; // before a token's end a new one is fetched
const PAUSES = [1000, 2000, 4000]; // before a read is tried again, where the host says no time
const WORTH_AGAIN = [429, 503];
const secret = { key: null, token: null, ends: 0, flight: null };
let clock = { at: Date.now(), mono: performance.now() };

/** What the views may know of the session; `tell` has listeners told. */
export const session = { signed: false, ended: false, away: false, moved: 0, renews: false, ends: 0, region: null, slots: null, self: null, why: '' };
const listeners = new Set();
export const listen = (told) => { listeners.add(told); return () => listeners.delete(told); };
export function tell(changes) {
  if (Object.entries(changes).every(([name, value]) => Object.is(session[name], value))) return;
  Object.assign(session, changes);
  for (const told of [...listeners]) told();
}

/** A refusal or a failure: `status` is 0 where the host did not answer. */
export class Problem extends Error {
  constructor(status, entry = {}, trace = '', wait = 0) {
    super(entry.message || 'The host does not answer.');
    Object.assign(this, { status, code: entry.code || '', field: entry.target?.name || '', trace, wait });
  }
}

/** Give the host's time in milliseconds: never the browser's. */
export const now = () => clock.at + performance.now() - clock.mono;

/** True if the session's roles allow a verb. */
export const may = (verb) => Boolean(session.self) && allows(session.self.roles, session.self.project, verb);

/** Sign in with an API key's text. Raises Problem. */
export async function signIn(key) {
  await exchange({ grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: key });
  secret.key = key;
  tell({ signed: true, ended: false, renews: true });
}

/** Sign in with the code of `ce open`: once, and without renewal. Raises Problem. */
export async function signInByCode(code) {
  secret.key = null;
  await exchange({ grant_type: 'urn:reprieve:grant:signin-code', code });
  tell({ signed: true, ended: false, renews: false });
}

/** Say whose key a code stands for; it stays good. Raises Problem. */
export const preview = (code) => send('POST', '/identity/signin_code', { body: { code } });

/** Forget all: `why` is told at the sign-in. */
export function forget(why = '') {
  Object.assign(secret, { key: null, token: null, ends: 0, flight: null });
  tell({ signed: false, ended: false, self: null, slots: null, why });
}

async function exchange(form) {
  const given = await send('POST', '/identity/token', { form });
  const claims = JSON.parse(atob(given.access_token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
  secret.token = given.access_token;
  secret.ends = performance.now() + given.expires_in * 1000;
  const self = { id: claims.sub, roles: claims.roles || [], account: claims.account.bss, project: claims.project || null };
  const same = session.self && session.self.id === self.id && session.self.account === self.account;
  tell({ self: same ? session.self : self, ends: secret.ends });
}

function renewed() {
  const form = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: secret.key };
  secret.flight ||= exchange(form).finally(() => { secret.flight = null; });
  return secret.flight;
}

/** Ask the host as the one who is signed in; a read is tried again where that may help. */
export async function ask(method, to, options = {}) {
  for (let round = 0; ; round += 1) {
    try {
      return await authorized(method, to, options);
    } catch (problem) {
      const again = method === 'GET' && !options.once && round < PAUSES.length && problem instanceof Problem
        && (problem.status === 0 || WORTH_AGAIN.includes(problem.status));
      if (!again) throw problem;
      await pause(problem.wait * 1000 || PAUSES[round], options.signal);
    }
  }
}

async function authorized(method, to, options) {
  try {
    if (secret.key && performance.now() > secret.ends - RENEW) await renewed();
    try {
      return await send(method, to, { ...options, token: secret.token });
    } catch (problem) {
      if (problem.status !== 401 || !secret.key) throw problem;
      await renewed();
      return await send(method, to, { ...options, token: secret.token });
    }
  } catch (problem) {
    const over = problem.status === 401 || problem.code === 'BXNIM0415E';
    if (over && session.signed) tell({ ended: true });
    throw problem;
  }
}

async function send(method, to, { token, body, form, tag, again, type, signal } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (tag) headers['If-Match'] = tag;
  if (again) headers['Idempotency-Key'] = again;
  if (body) headers['Content-Type'] = type || 'application/json';
  const sent = form ? new URLSearchParams(form) : body && JSON.stringify(body);
  const how = { credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer' };
  let answer;
  let text;
  try {
    answer = await fetch(to, { method, headers, body: sent, signal, ...how });
    text = await answer.text();
  } catch (problem) {
    if (signal?.aborted) throw problem;
    tell({ away: true });
    throw new Problem(0);
  }
  heard(answer.headers);
  return understood(answer, text);
}

function heard(headers) {
  const moment = Date.parse(headers.get('X-Reprieve-Now'));
  if (moment) clock = { at: moment, mono: performance.now() };
  const ahead = Math.round((now() - Date.now()) / 60_000) * 60_000;
  const region = headers.get('X-Reprieve-Region');
  const slots = headers.get('X-Reprieve-Project-Slots');
  tell({ away: false, moved: Math.abs(ahead) > 60_000 ? ahead : 0, ...(region && { region, slots: Number(slots) || null }) });
}

function understood(answer, text) {
  let told = null;
  try {
    told = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(answer.status, { message: 'The answer is not one of this service.' });
  }
  if (answer.ok) return told;
  const entry = told?.errors?.[0] || { code: told?.errorCode, message: told?.errorMessage || `The host answered ${answer.status}.` };
  throw new Problem(answer.status, entry, told?.trace, Math.min(Number(answer.headers.get('Retry-After')) || 0, 60));
}

function pause(time, signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, time);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
