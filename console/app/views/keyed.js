/** One secret or config map: its keys, a row each, and the ways to change one and leave the others. */

import { may } from '../api.js';
import { Act } from '../change.js';
import { KINDS, address, command } from '../kinds.js';
import { go } from '../route.js';
import { Command, Item, Menu, Name, Rows, Skeleton, html } from '../ui.js';
import { Delete } from './delete.js';
import { EditKey, RemoveKey } from './edit.js';
import { Ago, DENIED, Missed } from './list.js';
import { useState } from '../vendor/preact-htm.js';

function Row({ of, one, cell, fixed, ask }) {
  const { value, acts } = cell(one.name);
  const deny = may('entity.manage') ? '' : DENIED;
  const needed = of.thing.needs.includes(one.name) ? 'A secret of this format must have it.' : '';
  return html`<tr><th scope="row" class="mono"><${Name} of=${one.name} /></th><td class="wide">${value}</td>
    <td class="do under"><div class="row end">${acts}
      ${!fixed && html`<${Menu} label=${`⋯ of ${one.name}`}>
        <${Item} why=${deny} act=${() => ask({ edit: one.name })}>Edit…<//>
        <${Item} danger=${true} why=${deny || needed} act=${() => ask({ remove: one.name })}>Remove…<//><//>`}</div></td></tr>`;
}

/**
 * The page. `thing` is what was read: `{tag, says, created, changed, keys: [{name}], needs, data?}`;
 * `cell(key)` draws a key's value and what can be done with it; `fixed` says why nothing changes.
 */
export function Keyed({ project, kind, name, thing, problem, load, cell, fixed, foot, more }) {
  const [asked, ask] = useState(null);
  const { one, title } = KINDS[kind];
  const deny = may('entity.manage') ? '' : DENIED;
  const close = () => ask(null);
  const of = { project, kind, name, thing, load };
  const act = (label, look, aim) => html`<${Act} look=${look} why=${deny} act=${() => ask(aim)} aria-describedby=${deny ? 'denied' : undefined}>${label}<//>`;
  const gone = problem?.status === 404 && !thing;
  const line = command(project, kind, 'get', name, more);
  return html`<div class="head"><div><p class="crumb"><a href=${address(project, kind)}>All ${title.toLowerCase()}</a></p>
      <h2><${Name} of=${name} /></h2>
      ${thing && html`<div class="facts"><span>${thing.says}</span><span>created <${Ago} moment=${thing.created} /></span>
        ${thing.changed && html`<span>changed <${Ago} moment=${thing.changed} /></span>`}<span>tag <code>${thing.tag}</code></span></div>`}</div>
      ${!gone && html`<div class="stack close"><div class="row">${thing && !fixed && act('Add a key…', '', { add: true })}${act('Delete…', 'danger', { all: true })}</div>
        ${deny && html`<p class="hint" id="denied">${deny}</p>`}</div>`}</div>
    ${gone ? html`<div class="note amber" role="alert">No ${one} of this name is in this project.</div>` : html`<${Missed} problem=${problem} retry=${load} />`}
    ${!thing && !problem && html`<${Skeleton} />`}
    ${thing?.keys.length === 0 && html`<p class="sub">${fixed || 'It holds no keys.'}</p>`}
    ${thing?.keys.length > 0 && html`<table class="keys"><caption class="hidden">Keys of ${name}</caption>
      <thead><tr><th scope="col">Key</th><th scope="col">Value</th><td></td></tr></thead>
      <${Rows}>${thing.keys.map((row) => html`<${Row} key=${row.name} of=${of} one=${row} cell=${cell} fixed=${fixed} ask=${ask} />`)}<//></table>`}
    ${thing && foot}
    ${thing && line && html`<${Command} line=${line} />`}
    ${asked?.all && html`<${Delete} project=${project} kind=${kind} name=${name} tag=${thing?.tag} close=${close} done=${() => go(address(project, kind))} />`}
    ${asked?.add && html`<${EditKey} of=${of} stored=${cell} close=${close} />`}
    ${asked?.edit && html`<${EditKey} key=${asked.edit} of=${of} keyName=${asked.edit} stored=${cell} close=${close} />`}
    ${asked?.remove && html`<${RemoveKey} of=${of} keyName=${asked.remove} close=${close} />`}`;
}
