/**
 * A new API key: what it may do, for what and until when; then its text, this once. The text is in
 * the dialog that shows it and nowhere else, and goes with it: on Done, at a lock, on leaving.
 */

import { session, wall } from '../api.js';
import { useChange } from '../change.js';
import { state } from '../data.js';
import { createApiKey, deleteApiKey } from '../operations.js';
import { SENTENCES, gives } from '../roles.js';
import { whole } from '../time.js';
import { Command, Copy, Dialog, Field, Trouble, html, words } from '../ui.js';
import { useEffect, useState } from '../vendor/preact-htm.js';

const DAY = 86_400_000;
const SPANS = { 30: 'in 30 days', 90: 'in 90 days', 365: 'in a year' };

/** The text of a key that was made; nothing closes it but Done. */
function Made({ made, done }) {
  useEffect(() => {
    const warn = (event) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);
  return html`<${Dialog} title=${`Key “\u2068${made.name}\u2069” is made`}>
    <p>Copy it now: it is not shown again.</p><p class="secret mono">${made.apikey}</p>
    <div class="row end"><${Copy} read=${() => made.apikey} label="Copy key" plain=${false} />
      <button type="button" class="button primary" data-first onClick=${done}>Done</button></div><//>`;
}

/** The same request made the key, and the answer that had its text was lost on the way. */
function Lost({ problem, reload, close }) {
  const id = problem.message.match(/`([0-9a-f]{16})`/)?.[1];
  const { busy, problem: wrong, send } = useChange(async () => {
    await deleteApiKey(id);
    await reload();
    close();
  });
  return html`<div class="note red stack" role="alert"><p>The key exists, and its text is lost: the answer that had it did not arrive. Delete it, and make another.</p>
    ${wrong && html`<p>${words(wrong)}</p>`}
    ${id && html`<div><button type="button" class="button danger" aria-busy=${String(busy)} onClick=${() => send()}>Delete the lost key</button></div>`}</div>`;
}

/** Give the moment of a choice: null for none of its own. */
function moment(choice, day, from) {
  if (choice in SPANS) return from + choice * DAY;
  const [year, month, date] = day.split('-').map(Number);
  return choice === 'day' && date ? new Date(year, month - 1, date, 23, 59, 59).getTime() : null;
}

function Expiry({ own, from, choice, choose, day, setDay }) {
  const last = own?.expires_at ? Date.parse(own.expires_at) : Infinity;
  const most = Number.isFinite(last) ? 'with the key you are signed in with' : 'never';
  const until = moment(choice, day, from);
  const ends = until || (choice === 'last' && Number.isFinite(last) ? last : null);
  return html`<div class="field"><label for="expiry">Expires</label>
      <select class="input" id="expiry" value=${choice} onChange=${(event) => choose(event.target.value)} aria-describedby="expiry-hint">
        ${Object.entries(SPANS).filter(([days]) => from + days * DAY <= last).map(([days, said]) => html`<option key=${days} value=${days}>${said}</option>`)}
        <option value="day">on a day…</option><option value="last">${most}</option></select>
      <p class="hint" id="expiry-hint">${ends ? `On ${whole(ends)}.` : choice === 'last' ? 'It works until it is revoked.' : 'At the end of the day you choose.'}</p></div>
    ${choice === 'day' && html`<${Field} label="Last day" type="date" value=${day} required=${true} min=${new Date(from).toISOString().slice(0, 10)} onInput=${(event) => setDay(event.target.value)} />`}`;
}

function Roles({ may, chosen, choose }) {
  const change = (role) => choose(chosen.includes(role) ? chosen.filter((one) => one !== role) : [...chosen, role]);
  return html`<fieldset class="choices"><legend class="label">Roles</legend>
    <p class="hint">Those that your own key may give.</p>
    ${may.map((role) => html`<label class="check" key=${role}><input type="checkbox" data-role=${role} checked=${chosen.includes(role)} onChange=${() => change(role)} />
      <span><b>${role}</b> <span class="small">${SENTENCES[role]}</span></span></label>`)}</fieldset>`;
}

/** The dialog. `own` is the record of the session's key, where it is known. */
export function CreateKey({ own, rows, reload, close }) {
  const [from] = useState(wall);
  const last = own?.expires_at ? Date.parse(own.expires_at) : Infinity;
  const [name, setName] = useState('');
  const [chosen, choose] = useState([]);
  const [project, setProject] = useState('');
  const [choice, setChoice] = useState(from + 90 * DAY <= last ? '90' : 'last');
  const [day, setDay] = useState('');
  const [made, setMade] = useState(null);
  const [none, setNone] = useState(false);
  const { busy, problem, send, clear } = useChange(async (body, again) => {
    setMade(await createApiKey(body, again).catch((why) => { reload(); throw why; }));
    reload();
  });
  if (made && session.ended) return null; // the text is not shown beneath, or over, the sign-in
  if (made) return html`<${Made} key="made" made=${made} done=${() => { setMade(null); close(); }} />`;
  const edit = (set) => (value) => { set(value); setNone(false); if (problem) clear(); };
  function submit() {
    setNone(chosen.length === 0);
    if (chosen.length === 0) return;
    send({ name: name.trim(), roles: chosen, ...(project && { project_id: project }), ...(until && { expires_at: new Date(until).toISOString() }) });
  }
  const until = moment(choice, day, from);
  const line = ['ce apikey create', /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? name : 'NAME', ...chosen.map((role) => `--role ${role}`),
    project && `--project-id ${project}`, until && `--expires-in ${Math.floor((until - from) / 3600_000)}h`].filter(Boolean).join(' ');
  const lost = problem?.code === 'already_made';
  const named = problem?.field === 'name';
  return html`<${Dialog} key="asked" title="Create a key" close=${close} busy=${busy} submit=${submit}>
    <${Field} label="Name" first=${true} value=${name} required=${true} onInput=${(event) => edit(setName)(event.target.value)} wrong=${named && words(problem)}
      hint="Who or what uses it: letters, digits, spaces, . _ : or -." />
    <${Roles} may=${gives(session.self.roles)} chosen=${chosen} choose=${edit(choose)} />
    <p class="wrong" role="alert" hidden=${!none}>Choose at least one role.</p>
    <div class="field"><label for="project">For</label><select class="input" id="project" value=${project} onChange=${(event) => edit(setProject)(event.target.value)}>
      <option value="">all projects</option>
      ${(rows || []).filter((one) => state(one) === 'active').map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}</select></div>
    <${Expiry} own=${own} from=${from} choice=${choice} choose=${edit(setChoice)} day=${day} setDay=${edit(setDay)} />
    ${lost ? html`<${Lost} problem=${problem} reload=${reload} close=${close} />` : html`<${Trouble} problem=${named ? null : problem} />`}
    <${Command} line=${line} />
    <div class="row end"><button type="button" class="button" data-close>Cancel</button><button class="button primary" aria-busy=${String(busy)}>Create</button></div><//>`;
}
