/** What a project holds of a kind, as a list: names and facts, never a value. */

import { may, now } from '../api.js';
import { Act, copy } from '../change.js';
import { canCopy } from '../clipboard.js';
import { KINDS, address } from '../kinds.js';
import { metadata } from '../operations.js';
import { CALM, useRead } from '../read.js';
import { filter, go } from '../route.js';
import { ago, whole } from '../time.js';
import { Item, Menu, Name, Rows, Skeleton, Trouble, html, useTick, words } from '../ui.js';
import { Delete, tagOf } from './delete.js';
import { useState } from '../vendor/preact-htm.js';

const MANY = 8; // rows from which on there is a filter
export const DENIED = 'It takes the role manager or writer.';

/** A moment as how long ago it was; what is not known is not told. */
export function Ago({ moment }) {
  useTick();
  const time = Date.parse(moment);
  return time ? html`<time datetime=${moment} title=${whole(time)}>${ago(time, now())}</time>` : '–';
}

/** What a reading came to: what the key may not see is no fault, and trying again does not help. */
export function Missed({ problem, retry }) {
  if (problem?.status === 403) return html`<div class="note" role="alert">${words(problem)}</div>`;
  return html`<${Trouble} problem=${problem} retry=${retry} />`;
}

function Row({ project, kind, row, columns, ask }) {
  const name = row.name || row.id;
  const at = address(project, kind, name);
  return html`<tr><td><a href=${at}><b><${Name} of=${name} /></b></a></td>
    ${columns.map((one) => html`<td key=${one.title} data-label=${one.label}>${one.cell(row)}</td>`)}
    <td data-label="Changed" class="small"><${Ago} moment=${row.updated_at} /></td>
    <td class="do"><${Menu} label=${`⋯ of ${name}`}>
      <${Item} act=${() => go(at)}>Open<//>
      ${canCopy() && html`<${Item} act=${() => copy(name, 'The name is copied.')}>Copy name<//>`}
      <${Item} danger=${true} why=${may('entity.manage') ? '' : DENIED} act=${() => ask({ name, tag: tagOf(row) })}>Delete…<//><//></td></tr>`;
}

function Table({ rows, columns, title, ...rest }) {
  return html`<table><caption class="hidden">${title}</caption>
    <thead><tr><th scope="col">Name</th>${columns.map((one) => html`<th scope="col" key=${one.title}>${one.title}</th>`)}<th scope="col">Changed</th><td></td></tr></thead>
    <${Rows}>${rows.map((row) => html`<${Row} key=${row.id} row=${row} columns=${columns} ...${rest} />`)}<//></table>`;
}

/** The list: `make({close, done})` draws what adds one, `empty` says what there is to add. */
export function List({ project, place, kind, columns = [], make, empty, foot, old }) {
  const { value: rows, problem, load } = useRead((options) => metadata(project.id, kind, options), CALM);
  const [making, setMaking] = useState(false);
  const [asked, ask] = useState(null);
  const { one, title } = KINDS[kind];
  const text = place.query.get('q') || '';
  const deny = may('entity.manage') ? '' : DENIED;
  const found = (rows || []).filter((row) => (row.name || row.id).toLowerCase().includes(text.trim().toLowerCase()));
  const add = make && html`<div class="stack close"><${Act} look="primary" why=${deny} act=${() => setMaking(true)} aria-describedby=${deny ? 'denied' : undefined}>Add ${one}<//>${deny && html`<p class="hint" id="denied">${deny}</p>`}</div>`;
  const many = rows?.length > MANY || (rows && text);
  const some = rows?.length > 0;
  if (problem?.status === 404 && !rows) return html`<div class="note amber" role="alert">${old}</div>`;
  return html`${(many || (some && add)) && html`<div class="head">${many ? html`<input class="input filter" type="search" aria-label="Filter by name" placeholder="Filter by name" value=${text}
      onInput=${(event) => filter('q', event.target.value)} />` : html`<span></span>`}${some && add}</div>`}
    <${Missed} problem=${problem?.status === 0 && rows ? null : problem} retry=${load} />
    ${!rows && !problem && html`<${Skeleton} />`}
    ${rows?.length === 0 && html`<div class="empty"><h2>${empty.title}</h2><p>${empty.text}</p>${add}</div>`}
    ${some && found.length === 0 && html`<p>No ${one} fits. <button type="button" class="button" onClick=${() => filter('q', '')}>Clear the filter</button></p>`}
    ${found.length > 0 && html`<${Table} rows=${found} columns=${columns} title=${title} project=${project} kind=${kind} ask=${ask} />`}
    ${foot && some && html`<p class="small">${foot}</p>`}
    ${making && make({ close: () => setMaking(false), done: load })}
    ${asked && html`<${Delete} project=${project} kind=${kind} name=${asked.name} tag=${asked.tag} close=${() => ask(null)} done=${load} />`}`;
}
