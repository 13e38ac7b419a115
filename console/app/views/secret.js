/**
 * One secret. A value is asked for one key at a time, shown for 30 s, and forgotten with whatever
 * ends the look at it: another page, another tab, the lock, the session's end.
 */

import { listen, session } from '../api.js';
import { canCopy, lend, useClipboard } from '../clipboard.js';
import { after } from '../lapse.js';
import { keysOf, valueOf } from '../operations.js';
import { useRead } from '../read.js';
import { Value } from '../text.js';
import { html, words } from '../ui.js';
import { FORMATS, needs } from './formats.js';
import { Keyed } from './keyed.js';
import { useEffect, useState } from '../vendor/preact-htm.js';

const SHOWN = 30_000;
const FOLDERS = ['.', '..']; // in an address they would be another one
const looks = new Map(); // by key, of the secret on the screen: what is shown of it; `KEY copy`: a copy under way
let redraw = () => {};

function look(key, what) {
  const before = looks.get(key);
  before?.stop?.();
  before?.flight?.abort();
  if (what) looks.set(key, what);
  else looks.delete(key);
  redraw();
}

/** Forget every value. */
function hide() {
  for (const key of [...looks.keys()]) look(key);
}

listen(() => { if (!session.signed || session.ended) hide(); });
document.addEventListener('visibilitychange', () => document.hidden && hide());
window.addEventListener('hashchange', hide);
window.addEventListener('pagehide', hide);

/** Ask for a value once, and hand it on unless it was hidden meanwhile. */
function ask(project, name, key, as, use) {
  if (looks.get(as)?.flight) return;
  const mine = { flight: new AbortController() };
  look(as, mine);
  const put = (what) => looks.get(as) === mine && look(as, what);
  valueOf(project.id, name, key, { signal: mine.flight.signal })
    .then((found) => looks.get(as) === mine && use(found.value, put))
    .catch((problem) => put({ says: problem.status === 404 ? 'It is not there any more.' : words(problem) }));
}

const reveal = (project, name, key) => ask(project, name, key, key, (text, put) => put({ text, stop: after(SHOWN, () => look(key)) }));
const copy = (project, name, key) => ask(project, name, key, `${key} copy`, (text, put) => lend(text).then(
  () => put(),
  () => put({ says: 'Not copied: the browser does not allow it.' }),
));

function Cell({ what, says, name }) {
  return html`${what?.text === undefined ? html`<span class="veiled" aria-hidden="true">••••••••</span><span class="hidden">hidden</span>` : html`<${Value} of=${what.text} label=${`Value of ${name}`} />`}
    ${says && html`<span class="wrong block" role="alert">${says}</span>`}`;
}

function cell(project, name, key) {
  const [what, copying] = [looks.get(key), looks.get(`${key} copy`)];
  if (FOLDERS.includes(key)) return { value: html`<span class="small">A browser cannot ask for this key; <code>ce secret get</code> reads it.</span>` };
  const shown = what?.text !== undefined;
  const whose = html`<span class="hidden"> ${key}</span>`;
  return {
    value: html`<${Cell} what=${what} says=${what?.says || copying?.says} name=${key} />`,
    acts: html`<button type="button" class="button" aria-busy=${String(Boolean(what?.flight))} onClick=${() => (shown ? look(key) : reveal(project, name, key))}>${shown ? 'Hide' : 'Reveal'}${whose}</button>
      ${canCopy() && html`<button type="button" class="button" aria-busy=${String(Boolean(copying?.flight))} onClick=${() => copy(project, name, key)}>Copy${whose}</button>`}`,
  };
}

const thingOf = (found) => found && {
  tag: found.entity_tag,
  says: FORMATS[found.format]?.title || found.format,
  created: found.created_at,
  changed: found.updated_at,
  keys: found.keys,
  needs: needs(found.format),
};

/** The page. */
export function Secret({ project, name }) {
  const [, draw] = useState(0);
  const copied = useClipboard();
  useEffect(() => {
    redraw = () => draw((count) => count + 1);
    return () => { redraw = () => {}; hide(); };
  }, []);
  const { value: found, problem, load } = useRead((options) => keysOf(project.id, name, { signal: options.signal }));
  useEffect(hide, [found?.entity_tag]); // what was shown is of a state before this one
  return html`<${Keyed} project=${project} kind="secrets" name=${name} thing=${thingOf(found)} problem=${problem} load=${async () => thingOf(await load())}
    cell=${(key) => cell(project, name, key)} more="--decode" fixed=${FORMATS[found?.format]?.service ? 'A service\'s secret holds no values here.' : ''}
    foot=${html`<div>${found?.keys.length > 0 && html`<p class="small">Shown for 30 s, then hidden again.</p>`}<p class="small" role="status">${copied}</p></div>`} />`;
}
