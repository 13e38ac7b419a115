/** Sign in: with a key that is typed, or with the code of `ce open`, which a click confirms. */

import { forget, preview, session, signIn, signInByCode } from '../api.js';
import { useChange } from '../change.js';
import { listen, takeCode } from '../route.js';
import { Dialog, Field, html, words } from '../ui.js';
import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact-htm.js';

const FORM = /^ce_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/;

function said(problem) {
  if (problem.status === 0) return html`The host does not answer. Is it running? Locally: <code>ce emulator start</code>`;
  if (problem.status === 429) return `Too many tries. Try again in ${problem.wait || 'some'} s.`;
  if (problem.code === 'BXNIM0415E') return 'This key is not known here: it is wrong, revoked or expired.';
  return words(problem);
}

function Form() {
  const own = useRef();
  const [key, setKey] = useState('');
  const [seen, see] = useState(false);
  const { busy, problem, send } = useChange(() => {
    if (!FORM.test(key.trim())) throw Object.assign(new Error(), { status: 400, code: 'BXNIM0415E' });
    return signIn(key.trim());
  });
  useLayoutEffect(() => own.current.querySelector('[data-first]').focus(), []);
  const submit = (event) => { event?.preventDefault(); send(); };
  return html`<form class="stack" ref=${own} onSubmit=${submit} autocomplete="on">
    <input class="hidden" type="text" autocomplete="username" value="Reprieve" tabindex="-1" aria-hidden="true" readonly />
    <${Field} label="API key" look="mono" type=${seen ? 'text' : 'password'} autocomplete="current-password" placeholder="ce_…"
      value=${key} onInput=${(event) => setKey(event.target.value)} wrong=${problem && said(problem)} first=${true} />
    <label class="check"><input type="checkbox" checked=${seen} onChange=${() => see(!seen)} /><span>Show the key</span></label>
    <button class="button primary" aria-busy=${String(busy)}>Sign in</button></form>`;
}

function ByCode({ code, done }) {
  const [whose, setWhose] = useState(null);
  const { busy, problem, send } = useChange(() => signInByCode(code));
  const [refused, refuse] = useState(null);
  useEffect(() => { preview(code).then(setWhose, refuse); }, []);
  const wrong = problem || refused;
  if (wrong) {
    const known = wrong.code === 'BXNIM0415E' ? 'This link has been used, or its minute is over.' : said(wrong);
    return html`<div class="note red" role="alert">${known} Run <code>ce open</code> again, or sign in with a key.</div><${Form} />`;
  }
  if (!whose) return html`<p role="status">Looking whose link this is…</p>`;
  return html`<p>Sign in as key “<bdi>${whose.name}</bdi>” (${whose.roles.join(', ')}) of account <code>${whose.account_id.slice(0, 8)}</code>${whose.project_id && html`, for project <code>${whose.project_id.slice(0, 8)}</code> alone`}?</p>
    <div class="row"><button type="button" class="button primary" aria-busy=${String(busy)} onClick=${() => send()}>Sign in</button>
    <button type="button" class="button" onClick=${done}>Not me</button></div>`;
}

/** The whole page, or over what is open when a session has ended: nothing typed there is lost. */
export function SignIn({ over }) {
  const [code, setCode] = useState(takeCode);
  useEffect(() => listen((coded) => coded && setCode(takeCode())), []);
  if (over) {
    return html`<${Dialog} title="Sign in" whole=${true}>
      <p>Your session ended. Sign in again to go on where you were.</p>
      ${code ? html`<${ByCode} key=${code} code=${code} done=${() => setCode('')} />` : html`<${Form} />`}
      <div class="row"><button type="button" class="button plain" onClick=${() => forget('You are signed out.')}>Sign out</button></div><//>`;
  }
  return html`<main class="sign"><div class="card"><span class="brand"><img src="/app/mark.svg" alt="" />Reprieve</span>
    <h1>Sign in</h1>${session.why && html`<p role="status">${session.why}</p>`}
    ${code ? html`<${ByCode} key=${code} code=${code} done=${() => { setCode(''); forget(); }} />` : html`<${Form} />`}
    <p class="small">The key stays in this tab's memory. Closing or reloading the tab forgets it.</p>
    <p class="small">No key? On the machine of a local host run <code>ce open</code>; elsewhere ask an administrator for <code>ce apikey create</code>.</p>
  </div></main>`;
}
