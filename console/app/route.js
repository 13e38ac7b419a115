/**
 * Where one is: the hash, read into segments and a query. Filters live there too, so that Back and
 * a pasted address work. A sign-in code is taken out of it before anything else happens.
 */

const listeners = new Set();
let code = '';
let last = '#/projects'; // where one was before a sign-in link was followed

function read() {
  const [place, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  try {
    return { segments: place.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
  } catch {
    return { segments: [place], query: new URLSearchParams() };
  }
}

function taken() {
  const found = read();
  if (found.segments[0] === 'signin') {
    code = found.query.get('code') || '';
    history.replaceState(null, '', last);
    return read();
  }
  last = location.hash || last;
  return found;
}

export let place = taken();

/** Give the code that the page was opened with: once. */
export function takeCode() {
  const given = code;
  code = '';
  return given;
}

window.addEventListener('hashchange', () => {
  place = taken();
  for (const told of [...listeners]) told(Boolean(code));
});
export const listen = (told) => { listeners.add(told); return () => listeners.delete(told); };

/** Build an address: what is put in becomes one segment. */
export const to = (parts, ...names) => String.raw({ raw: parts }, ...names.map(encodeURIComponent));
export const go = (address) => { location.hash = address; };

/** Put a filter into the address, without a step for Back. */
export function filter(name, value) {
  if (value) place.query.set(name, value);
  else place.query.delete(name);
  const query = String(place.query);
  const [before] = location.hash.split('?');
  last = before + (query && `?${query}`);
  history.replaceState(null, '', last);
  for (const told of [...listeners]) told();
}
