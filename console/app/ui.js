/**
 * The parts that every screen is made of, from native elements. All text is a text child: a name
 * or a message is never read as HTML.
 */

import { Problem, now } from './api.js';
import { canCopy, put } from './clipboard.js';
import { length, whole } from './time.js';
import { html, useEffect, useState } from './vendor/preact-htm.js';

export { Dialog, Item, Menu } from './layers.js';
export { Rows, focusRow } from './rows.js';
export { html };

let fields = 0;

/** Draw again every 30 seconds: what is left of a time is told to the minute. */
export function useTick() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
}

/** A name as people wrote it, whatever its direction. */
export const Name = ({ of }) => html`<bdi>${of}</bdi>`;

/** What is left until a deadline, by the host's clock. */
export function Countdown({ deadline }) {
  useTick();
  const left = deadline - now();
  return html`<time datetime=${new Date(deadline).toISOString()} title=${whole(deadline)}>
    ${left > 0 ? length(left) : 'now'}</time>`;
}

/** A problem in words that say what to do. */
export function words(problem) {
  if (!(problem instanceof Problem)) return 'This page made a mistake. Reload it; what is stored is not touched.';
  if (problem.status === 401) return 'Your session ended before this was done. Sign in, then try again.';
  const verb = problem.status === 403 && problem.message.match(/`([a-z]+\.[a-z]+)`/);
  if (verb) return `Your key may not do this. It takes ${verb[1]}.`;
  if (problem.status === 0) return 'The host does not answer.';
  if (problem.status === 429) return `Too many requests. Try again in ${problem.wait || 'some'} s.`;
  return problem.message.replaceAll('`', '');
}

/** A box that tells a problem, with its trace, and offers to try again. */
export function Trouble({ problem, retry, lead = 'That did not work.' }) {
  if (!problem) return null;
  const said = problem.status === 0
    ? html`<b>The host does not answer.</b> Is it running? Locally: <code>ce emulator start</code>`
    : html`<b>${lead}</b> ${words(problem)}`;
  return html`<div class="note red stack" role="alert"><p>${said}</p>
    ${problem.trace && html`<p class="small">Trace <code>${problem.trace}</code></p>`}
    ${retry && html`<div><button type="button" class="button" onClick=${retry}>Try again</button></div>`}
  </div>`;
}

/** Said in a dialog where something was typed, once its project was taken away elsewhere. */
export const Lost = ({ project }) => project.lost && html`<div class="note amber" role="alert">This project was ${project.lost} elsewhere meanwhile: nothing can be saved here${project.lost === 'deleted' ? ' unless it is restored' : ''}. What you typed is lost once this is closed.</div>`;

/** Rows to come, once a reading takes over 300 ms. */
export function Skeleton() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return html`<div aria-busy="true"><span class="hidden">Loading</span>
    ${late && [1, 2, 3, 4].map((row) => html`<div class="skeleton" key=${row}></div>`)}</div>`;
}

/** A button that copies a text; where pages may not copy there is none. `read` may fetch it. */
export function Copy({ read, label = 'Copy', what = '', plain = true }) {
  const [told, tell] = useState('');
  if (!canCopy()) return null;
  async function copy() {
    try {
      await put(await read());
      tell('Copied');
    } catch (problem) {
      tell(problem instanceof Problem ? words(problem) : 'Not copied: the browser does not allow it');
    }
    setTimeout(() => tell(''), 3000);
  }
  return html`<button type="button" class=${`button ${plain ? 'plain' : ''}`} onClick=${copy}>${label}${what && html`<span class="hidden"> ${what}</span>`}</button>
    <span class=${told === 'Copied' ? 'small' : told && 'wrong'} role="status">${told}</span>`;
}

/** The command that does the same. */
export const Command = ({ line }) => html`<div class="command"><code>${line.split(' ').map((word) => html`<span class="word">${word}</span> `)}</code><${Copy} read=${() => line} what="the command" /></div>`;

/** Say which project in a command: by name where nothing in it needs quoting, else by id. */
export const which = (project) => (/^[A-Za-z0-9._][A-Za-z0-9._-]*$/.test(project.name) ? `--name ${project.name}` : `--id ${project.id}`);

/** Buttons of which one holds. */
export const Chips = ({ label, choices, chosen, choose }) => html`<div class="chips" role="group" aria-label=${label}>
  ${Object.entries(choices).map(([name, text]) => html`<button type="button" class="button" key=${name}
    aria-pressed=${String(name === chosen)} onClick=${() => choose(name)}>${text}</button>`)}</div>`;

/** A field with its label, hint and fault. */
export function Field({ label, hint, wrong, area, first, look = '', ...rest }) {
  const [id] = useState(() => `field-${(fields += 1)}`);
  const said = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined;
  const shared = { id, class: `input ${look}`, 'aria-describedby': said, 'aria-invalid': wrong ? 'true' : undefined, ...(first && { 'data-first': '' }), spellcheck: false, ...rest };
  return html`<div class="field"><label for=${id}>${label}</label>
    ${area ? html`<textarea ...${shared}></textarea>` : html`<input type="text" autocomplete="off" ...${shared} />`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    <p class="wrong" id=${`${id}-wrong`} role="alert" hidden=${!wrong}>${wrong}</p></div>`;
}
