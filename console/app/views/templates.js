/** What a project holds that would be run elsewhere: lists, and each as its stored text. */

import { may } from '../api.js';
import { Act } from '../change.js';
import { KINDS, TEMPLATES, address, command } from '../kinds.js';
import { contents, resource } from '../operations.js';
import { useRead } from '../read.js';
import { filter, go } from '../route.js';
import { Value } from '../text.js';
import { Chips, Command, Copy, Name, Skeleton, html } from '../ui.js';
import { Delete, tagOf } from './delete.js';
import { DENIED, List, Missed } from './list.js';
import { useState } from '../vendor/preact-htm.js';

const FIRST = 'apps';
const MOST = 65_536; // bytes of a template that are drawn
const ALWAYS = ['apps', 'jobs', 'builds', 'functions']; // the others, where there is one

function Template({ project, kind, name }) {
  const { value: found, problem, load } = useRead((options) => resource(project.id, kind, name, { signal: options.signal }));
  const [asked, ask] = useState(false);
  const { one, title } = KINDS[kind];
  const deny = may('entity.manage') ? '' : DENIED;
  const text = found && JSON.stringify(found, null, 2);
  const gone = problem?.status === 404;
  const line = command(project, kind, 'get', name);
  return html`<div class="head"><div><p class="crumb"><a href=${address(project, kind)}>All ${title.toLowerCase()}</a></p><h2><${Name} of=${name} /></h2>
      <p class="small">Reprieve runs nothing: this is what is stored.</p></div>
      ${!gone && html`<div class="stack close"><div class="row"><${Act} look="danger" why=${deny} act=${() => ask(true)} aria-describedby=${deny ? 'denied' : undefined}>Delete…<//></div>${deny && html`<p class="hint" id="denied">${deny}</p>`}</div>`}</div>
    ${gone ? html`<div class="note amber" role="alert">No ${one} of this name is in this project.</div>` : html`<${Missed} problem=${problem} retry=${load} />`}
    ${!found && !problem && html`<${Skeleton} />`}
    ${found && html`<section class="card stack"><div class="row"><h3>Stored text</h3><${Copy} read=${() => text} what="the stored text" /></div>
      <pre><${Value} of=${text} label="Stored text" most=${MOST} /></pre></section>`}
    ${found && line && html`<${Command} line=${line} />`}
    ${asked && html`<${Delete} project=${project} kind=${kind} name=${name} tag=${tagOf(found)} close=${() => ask(false)} done=${() => go(address(project, kind))} />`}`;
}

/** The screen. */
export function Templates({ project, names, place }) {
  const [kind, name] = names;
  if (!names.length) return html`<${All} project=${project} place=${place} />`;
  if (names.length > 2 || !TEMPLATES.includes(kind) || !name) return html`<p>Nothing is at this address.</p>`;
  return html`<${Template} project=${project} kind=${kind} name=${name} />`;
}

function All({ project, place }) {
  const { value: counts } = useRead((options) => contents(project.id, { signal: options.signal, once: true }));
  const asked = place.query.get('kind');
  const kind = TEMPLATES.includes(asked) ? asked : FIRST;
  const offered = TEMPLATES.filter((one) => ALWAYS.includes(one) || one === kind || !counts || counts[one] > 0);
  const choices = Object.fromEntries(offered.map((one) => [one, counts ? `${KINDS[one].title} ${counts[one] ?? 0}` : KINDS[one].title]));
  const choose = (one) => { filter('q', ''); filter('kind', one === FIRST ? '' : one); };
  return html`<div class="stack"><p class="sub">Reprieve runs nothing. What other tools would run is stored here, and can be restored with the project.</p>
      <div class="many"><${Chips} label="Kind" choices=${choices} chosen=${kind} choose=${choose} /></div></div>
    <${List} key=${kind} project=${project} place=${place} kind=${kind}
      empty=${{ title: `No ${KINDS[kind].title.toLowerCase()}`, text: 'The command line and the API store them; here they can be looked at and deleted.' }}
      old="This host is too old to list templates by name alone." />`;
}
