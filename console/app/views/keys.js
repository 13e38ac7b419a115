/** API keys: who may sign in, what each key may do and until when; made here, and revoked here. */

import { forget, may, session, wall } from '../api.js';
import { Act, toast, useChange } from '../change.js';
import { useProjects } from '../data.js';
import { apiKeys, deleteApiKey } from '../operations.js';
import { CALM, useRead } from '../read.js';
import { ago, length, whole } from '../time.js';
import { Command, Dialog, Name, Rows, Skeleton, Trouble, html, useTick } from '../ui.js';
import { CreateKey } from './newkey.js';
import { useEffect, useState } from '../vendor/preact-htm.js';

const WEEK = 7 * 86_400_000;

/** Say which projects a key is for. */
function For({ id, rows }) {
  if (!id) return 'all projects';
  const one = rows?.find((project) => project.id === id);
  return one ? html`<${Name} of=${one.name} />` : html`project <code title=${id}>${id.slice(0, 8)}</code>${rows && ', which is gone'}`;
}

/** Say until when a key can be used, by the clock that keys live by. */
function Until({ moment }) {
  if (!moment) return 'never';
  const left = Date.parse(moment) - wall();
  if (left <= 0) return html`<span class="status square">expired</span>`;
  const said = html`<time datetime=${moment} title=${whole(Date.parse(moment))}>in ${length(left)}</time>`;
  return left < WEEK ? html`<span class="status ring">${said}</span>` : said;
}

function Row({ one, rows, revoke, why }) {
  const own = one.id === session.self.id;
  return html`<tr><td><b><${Name} of=${one.name} /></b> ${own && html`<span class="small">(this session)</span>`}</td>
    <td data-label="Roles">${one.roles.join(', ')}</td><td data-label="For"><${For} id=${one.project_id} rows=${rows} /></td>
    <td data-label="Expires"><${Until} moment=${one.expires_at} /></td>
    <td data-label="Created" class="small">${ago(Date.parse(one.created_at), wall())}</td>
    <td class="do"><${Act} look="danger" why=${why} act=${() => revoke(one)}>Revoke…<span class="hidden"> ${one.name}</span><//></td></tr>`;
}

function makes(key) {
  return key.roles.includes('administrator') && !key.project_id && !(Date.parse(key.expires_at) <= wall());
}

function Revoke({ one, all, close, reload }) {
  const own = one.id === session.self.id;
  const made = all.filter((key) => key.created_by === one.id).length;
  const last = makes(one) && all.filter(makes).length === 1;
  const { busy, problem, send } = useChange(async () => {
    await deleteApiKey(one.id).catch((why) => { reload(); if (why.status !== 404) throw why; });
    if (own) return forget('You revoked the key you were signed in with.');
    close();
    await reload();
    return toast(`“\u2068${one.name}\u2069” is revoked.`);
  });
  return html`<${Dialog} title=${`Revoke “\u2068${one.name}\u2069”?`} close=${close} busy=${busy} submit=${() => send()}>
    ${own && html`<div class="note red">This is the key you are signed in with.</div>`}
    ${last && html`<div class="note red">It is the last one here that may make keys: without it, only the operator of this host can make another.</div>`}
    <ul><li>Programs that use it can no longer read or change what projects hold, at once.</li>
      <li>Until their tokens end, within an hour, they may still be answered lists of the account: names, roles and times, never a value.</li>
      ${made > 0 && html`<li>${made === 1 ? 'The key' : `The ${made} keys`} made with it ${made === 1 ? 'stays' : 'stay'}.</li>`}
      <li>It cannot be taken back: who needs a key again gets another.</li></ul>
    <${Trouble} problem=${problem} /><${Command} line=${`ce apikey delete --id ${one.id}`} />
    <div class="row end"><button type="button" class="button" data-first data-close>Cancel</button>
      <button class="button danger" aria-busy=${String(busy)}>Revoke</button></div><//>`;
}

const Denied = () => html`<div class="note">Your key may not see API keys. It takes the role administrator, and a key for all projects.</div>`;

function List({ making, make }) {
  useTick();
  const { rows } = useProjects();
  const { value: found, problem, load: reload } = useRead(apiKeys, CALM);
  useEffect(() => { if (!session.away && problem?.status === 0) reload(); }, [session.away]);
  const [asked, ask] = useState(null);
  const why = may('apikey.manage') ? '' : 'It takes the role administrator.';
  const sorted = [...(found || [])].sort((one, other) => one.name.localeCompare(other.name) || one.id.localeCompare(other.id));
  return html`<${Trouble} problem=${problem?.status === 0 && found ? null : problem} retry=${reload} />
    ${!found && !problem && html`<${Skeleton} />`}
    ${found && html`<table><caption class="hidden">API keys</caption>
      <thead><tr><th scope="col">Name</th><th scope="col">Roles</th><th scope="col">For</th><th scope="col">Expires</th><th scope="col">Created</th><td></td></tr></thead>
      <${Rows}>${sorted.map((one) => html`<${Row} key=${one.id} one=${one} rows=${rows} revoke=${ask} why=${why} />`)}<//></table>`}
    ${making && html`<${CreateKey} own=${found?.find((one) => one.id === session.self.id)} rows=${rows} reload=${reload} close=${() => make(false)} />`}
    ${asked && html`<${Revoke} one=${asked} all=${found || []} reload=${reload} close=${() => ask(null)} />`}`;
}

/** The screen. */
export function Keys() {
  const [making, make] = useState(false);
  const sees = may('apikey.view');
  return html`<div class="head"><div><h1 tabindex="-1">API keys</h1><p class="sub">A key stands for one program or person. Its text is shown once.</p></div>
      <${Act} look="primary" why=${may('apikey.manage') ? '' : 'It takes the role administrator, and a key for all projects.'} act=${() => make(true)}>Create key<//></div>
    ${sees ? html`<${List} making=${making} make=${make} />` : html`<${Denied} />`}`;
}
