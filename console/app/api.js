/**
 * How the console reaches the host: one session, one way to ask. The key and the token live in the
 * variables of this module and nowhere else; nothing else calls `fetch`.
 */

import { date, hear, session, tell } from './session.js';

export { listen, may, now, session, tell, wall } from './session.js';

const RENEW = 120_000; // before a token's end a new one is fetched
const PAUSES = [1000, 2000, 4000]; // before a read is tried again, where the host says no time
const WORTH_AGAIN = [429, 503];
const PATIENCE = 5; // seconds that a read waits by itself; a longer wait is told
const PATIENT = 65_000; // for an answer: a dialog that waits for one can be closed then
const KEY = 'urn:ibm:params:oauth:grant-type:apikey';
const FORGOTTEN = { message: 'The session has ended meanwhile.' };
const NOWHERE = { code: 'resource_not_found', message: 'No address leads to what has this name.' };
const secret = { key: null, token: null, ends: 0, flight: null, era: 0 };

/** A refusal or a failure: `status` is 0 where the host did not answer. */
export class Problem extends Error {
  constructor(status, entry = {}, trace = '', wait = 0) {
    super(entry.message || 'The host does not answer.');
    Object.assign(this, { status, code: entry.code || '', field: entry.target?.name || '', trace, wait });
  }
}

/** Sign in with an API key's text. Raises Problem. */
export async function signIn(key) {
  await exchange({ grant_type: KEY, apikey: key });
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
export const preview = (code) => sent('POST', '/identity/signin_code', { body: { code } });

/** Forget all, what is still on its way too: `why` is told at the sign-in. */
export function forget(why = '') {
  Object.assign(secret, { key: null, token: null, ends: 0, flight: null, era: secret.era + 1 });
  tell({ signed: false, ended: false, self: null, slots: null, renews: false, ends: 0, why });
}

async function exchange(form) {
  const { era } = secret;
  const given = await sent('POST', '/identity/token', { form });
  if (era !== secret.era) throw new Problem(401, FORGOTTEN);
  const claims = JSON.parse(atob(given.access_token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
  secret.token = given.access_token;
  secret.ends = performance.now() + given.expires_in * 1000;
  date(claims.iat);
  const self = { id: claims.sub, roles: claims.roles || [], account: claims.account.bss, project: claims.project || null };
  const same = session.self && JSON.stringify(session.self) === JSON.stringify(self);
  if (session.self && !same) secret.era += 1; // somebody else: nothing of the former's goes on
  tell({ self: same ? session.self : self, ends: secret.ends });
}

function renewed() {
  secret.flight ||= exchange({ grant_type: KEY, apikey: secret.key }).finally(() => { secret.flight = null; });
  return secret.flight;
}

/**
 * Ask the host as the one who is signed in; a read is tried again where that may help. What comes
 * after that session was forgotten is dropped. Raises Problem.
 */
export async function ask(method, to, options = {}) {
  const { era } = secret;
  if (!to) throw new Problem(404, NOWHERE);
  for (let round = 0; ; round += 1) {
    try {
      return await authorized(method, to, options, era);
    } catch (problem) {
      const again = method === 'GET' && !options.once && round < PAUSES.length && problem instanceof Problem
        && (problem.status === 0 || (WORTH_AGAIN.includes(problem.status) && problem.wait <= PATIENCE));
      if (!again) throw problem;
      await pause(problem.wait * 1000 || PAUSES[round], options.signal);
    }
  }
}

async function authorized(method, to, options, era) {
  const send = async (token) => {
    if (era !== secret.era) throw new Problem(401, FORGOTTEN);
    const answer = await sent(method, to, { ...options, token });
    if (era !== secret.era) throw new Problem(401, FORGOTTEN);
    return answer;
  };
  try {
    if (era === secret.era && secret.key && performance.now() > secret.ends - RENEW) await renewed();
    const { token } = secret;
    try {
      return await send(token);
    } catch (problem) {
      if (problem.status !== 401 || era !== secret.era || (token === secret.token && !secret.key)) throw problem;
      if (token === secret.token) await renewed();
      return await send(secret.token);
    }
  } catch (problem) {
    if (problem.status !== 401 && problem.code !== 'BXNIM0415E') throw problem;
    if (era === secret.era && session.signed) tell({ ended: true });
    throw Object.assign(problem, { status: 401 });
  }
}

async function sent(method, to, { token, body, form, tag, again, type, signal } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (tag) headers['If-Match'] = tag;
  if (again) headers['Idempotency-Key'] = again;
  if (body) headers['Content-Type'] = type || 'application/json';
  const carried = form ? new URLSearchParams(form) : body && JSON.stringify(body);
  const how = { credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer' };
  let [answer, text] = [];
  try {
    const late = AbortSignal.timeout(PATIENT);
    answer = await fetch(to, { method, headers, body: carried, signal: signal ? AbortSignal.any([signal, late]) : late, ...how });
    text = await answer.text();
  } catch (problem) {
    if (signal?.aborted) throw problem;
    tell({ away: true });
    throw new Problem(0);
  }
  hear(answer.headers);
  return understood(answer, text);
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
  const stopped = (reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  return new Promise((resolve, reject) => { setTimeout(resolve, time); stopped(reject); });
}
