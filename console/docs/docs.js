/**
 * The page of the API's reference: reads /openapi.json and nothing else, and goes where the address
 * says. What it shows is drawn by draw.js.
 */

import { at, draw, el } from './draw.js';

const operations = () => [...document.querySelectorAll('.operation')];
const shown = () => operations().filter((one) => !one.hidden);

/** Leaves what has all the words; a section without any goes with its line in the contents. */
function filter() {
  const words = at('filter').value.toLowerCase().split(/\s+/);
  for (const one of operations()) one.hidden = !words.every((word) => one.words.includes(word));
  for (const section of at('operations').children) section.hidden = !section.querySelector('.operation:not([hidden])');
  for (const link of at('contents').querySelectorAll('a[href^="#tag-"]')) link.parentElement.hidden = at(link.hash.slice(1)).parentElement.hidden;
  const [some, all] = [shown().length, operations().length];
  at('found').textContent = some === all ? `${all} operations` : some ? `${some} of ${all} operations` : 'No operation has these words.';
  pressed();
}

function pressed() {
  at('all').textContent = shown().length && shown().every((one) => one.open) ? 'Close all' : 'Open all';
}

function wanted() {
  const written = location.hash.slice(1);
  try {
    return decodeURIComponent(written);
  } catch {
    return written; // an address that nothing has
  }
}

/** Goes where the address says: an operation opens, and has the focus. */
function go() {
  const place = at(wanted());
  if (!place) return;
  if (place.closest('[hidden]')) {
    at('filter').value = '';
    filter();
  }
  const operation = place.matches('.operation');
  if (operation) place.open = true;
  place.scrollIntoView();
  (operation ? place.firstChild : place).focus({ preventScroll: true });
}

function key(event) {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input')) return;
  event.preventDefault();
  at('filter').focus();
}

async function read() {
  try {
    const answer = await fetch('/openapi.json', { credentials: 'omit', redirect: 'error' });
    return answer.ok && (await answer.json());
  } catch {
    return false; // Chromium has printed why
  }
}

const failure = () => el('div', { class: 'note red stack', role: 'alert' },
  el('p', null, el('strong', null, 'That did not work.'), ' The host does not give the description of the API.'),
  el('div', null, el('button', { class: 'button', type: 'button', onclick: () => location.reload() }, 'Try again')));

async function start() {
  const narrow = matchMedia('(max-width: 60rem)');
  const fold = () => { document.querySelector('.contents details').open = !narrow.matches; };
  narrow.addEventListener('change', fold);
  fold();
  const description = await read();
  at('operations').removeAttribute('aria-busy');
  document.querySelector('.tools').hidden = !description;
  if (!description) return at('operations').replaceChildren(failure());
  draw(description);
  filter();
  at('filter').addEventListener('input', filter);
  at('all').addEventListener('click', () => {
    const open = at('all').textContent === 'Open all';
    for (const one of shown()) one.open = open;
    pressed();
  });
  at('operations').addEventListener('toggle', pressed, { capture: true });
  addEventListener('hashchange', go);
  addEventListener('keydown', key);
  go();
}

start();
