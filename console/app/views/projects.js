/** The projects: the slots they hold, what each is, and the ways to make, delete and restore one. */

import { may, now, session } from '../api.js';
import { Act, copy, toast, useChange } from '../change.js';
import { load, state, useProjects } from '../data.js';
import { createProject } from '../operations.js';
import { filter, go, to } from '../route.js';
import { ago, length, whole } from '../time.js';
import { Chips, Command, Countdown, Dialog, Field, Item, Menu, Name, Rows, Skeleton, Trouble, html, words } from '../ui.js';
import { DeleteProject, useRestore } from './ending.js';
import { useState } from '../vendor/preact-htm.js';

const CHOICES = { all: 'All', active: 'Active', deleted: 'Deleted' };
const LOOK = { active: 'disc', deleted: 'ring', due: 'diamond', ending: 'square', other: 'ring' };

/** What a project is, in words and by a shape. */
export function Status({ project }) {
  const is = state(project);
  const hurried = is === 'deleted' && project.deadline - now() < 24 * 3600_000;
  const said = {
    active: 'Active',
    deleted: html`<span>Deleted, restorable for <${Countdown} deadline=${project.deadline} /></span>`,
    due: 'Deleted, its deadline is over',
    ending: 'Being destroyed',
    other: project.status,
  };
  return html`<span class=${`status ${hurried ? 'diamond' : LOOK[is]}`}>${said[is]}</span>`;
}

function Slots({ rows }) {
  const most = session.slots;
  if (!most) return null;
  const gone = rows.filter((one) => state(one) !== 'active').length;
  const next = Math.min(...rows.map((one) => one.deadline || Infinity));
  const frees = Number.isFinite(next) ? `; a slot frees itself in ${length(Math.max(next - now(), 0))}` : '';
  return html`<div class="slots"><span><b>${rows.length}</b> of ${most} slots</span>
    <meter min="0" max=${most} low=${most * 0.8} high=${most - 1} optimum="0" value=${rows.length} aria-label="Slots taken">${rows.length} of ${most}</meter>
    <span class="sub">${rows.length - gone} active, ${gone} deleted${frees}</span></div>
    ${rows.length >= most && html`<div class="note amber">All ${most} slots are taken. Deleted projects hold theirs until destroyed. <a href="#/deleted">Deleted projects</a></div>`}`;
}

function Create({ close, rows, restore }) {
  const [name, setName] = useState('');
  const { busy, problem, send, clear } = useChange(async (body, again) => {
    const made = await createProject(body.name, again).catch((why) => { load(); throw why; });
    close();
    await load();
    toast(`“\u2068${made.name}\u2069” is created.`);
    go(to`#/projects/${made.id}/secrets`);
  });
  const typed = (event) => { setName(event.target.value); if (problem) clear(); };
  const holder = problem?.code === 'name_taken' && (rows || []).find((one) => one.name === name);
  const held = holder && state(holder) === 'deleted' && holder;
  let wrong = problem && words(problem);
  if (problem?.code === 'name_taken') wrong = held ? `A deleted project holds this name until ${whole(held.deadline)}. Restore it, or choose another name.` : 'A project of this name exists.';
  return html`<${Dialog} title="Create a project" close=${close} busy=${busy} submit=${() => send({ name })}>
    <${Field} label="Name" first=${true} value=${name} onInput=${typed} wrong=${wrong}
      hint="1 to 128 letters, digits, spaces, . _ : or -. It cannot be changed later." />
    ${held && html`<div><button type="button" class="button" onClick=${() => { close(); restore(held); }}>Restore it</button></div>`}
    <div class="row end"><button type="button" class="button" data-close>Cancel</button><button class="button primary" aria-busy=${String(busy)}>Create</button></div><//>`;
}

const Empty = ({ create }) => html`<div class="empty"><h2>No projects yet</h2>
  <p>A project holds secrets, config maps and templates under one encryption key. Deleted, it can be restored for seven days; then its key is destroyed.</p>
  ${create}<${Command} line="ce project create --name demo" /></div>`;

function Row({ project, ask, restore }) {
  const is = state(project);
  const name = is === 'active'
    ? html`<a href=${to`#/projects/${project.id}/secrets`}><b><${Name} of=${project.name} /></b></a>`
    : html`<a class="sub" href=${to`#/projects/${project.id}/settings`}><${Name} of=${project.name} /></a>`;
  const deny = may('project.manage') ? '' : 'It takes the role editor or administrator.';
  return html`<tr><td>${name}</td><td><${Status} project=${project} /></td>
    <td data-label="Created" class="small">${ago(Date.parse(project.created_at), now())}</td>
    <td class="do">${is === 'deleted' && html`<${Act} why=${deny} act=${() => restore(project)}>Restore<span class="hidden"> ${project.name}</span><//>`}
    ${is === 'active' && html`<${Menu} label=${`⋯ of ${project.name}`}>
      <${Item} act=${() => go(to`#/projects/${project.id}/secrets`)}>Open<//>
      ${navigator.clipboard && html`<${Item} act=${() => copy(project.id, 'The ID is copied.')}>Copy ID<//>`}
      <${Item} danger=${true} why=${deny} act=${() => ask(project)}>Delete…<//><//>`}</td></tr>`;
}

/** The screen. */
export function Projects({ place }) {
  const { rows, problem } = useProjects();
  const [making, make] = useState(false);
  const [asked, ask] = useState(null);
  const { restore, trouble } = useRestore();
  const [kept, text] = [Object.hasOwn(CHOICES, place.query.get('show') || '') ? place.query.get('show') : 'all', place.query.get('q') || ''];
  const refused = may('project.create') ? '' : 'It takes the role editor or administrator, for all projects.';
  const create = html`<${Act} look="primary" why=${refused} act=${() => make(true)}>Create project<//>`;
  const fits = (one) => one.name.toLowerCase().includes(text.toLowerCase()) && (kept === 'all' || (state(one) === 'active') === (kept === 'active'));
  const chosen = (rows || []).filter(fits).sort((one, other) => one.name.localeCompare(other.name));
  return html`<div class="head"><h1 tabindex="-1">Projects</h1>${create}</div>
    <${Trouble} problem=${problem?.status === 0 && rows ? null : problem} retry=${load} /><${Trouble} ...${trouble} />
    ${problem?.status === 403 && session.self.project && html`<p><a href=${to`#/projects/${session.self.project}/secrets`}>The project of this key</a></p>`}
    ${!rows && !problem && html`<${Skeleton} />`}
    ${rows?.length === 0 && html`<${Empty} create=${create} />`}
    ${rows?.length > 0 && html`<${Slots} rows=${rows} />
      <div class="row"><input class="input filter" type="search" aria-label="Filter by name" placeholder="Filter by name" value=${text} onInput=${(event) => filter('q', event.target.value)} />
        <${Chips} label="Show" choices=${CHOICES} chosen=${kept} choose=${(name) => filter('show', name === 'all' ? '' : name)} /></div>
      ${chosen.length === 0 ? html`<p>No project fits. <button type="button" class="button" onClick=${() => { filter('q', ''); filter('show', ''); }}>Clear the filter</button></p>`
        : html`<table><caption class="hidden">Projects</caption><thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col">Created</th><td></td></tr></thead>
        <${Rows}>${chosen.map((one) => html`<${Row} key=${one.id} project=${one} ask=${ask} restore=${restore} />`)}<//></table>`}`}
    ${making && html`<${Create} rows=${rows} restore=${restore} close=${() => make(false)} />`}
    ${asked && html`<${DeleteProject} project=${asked} close=${() => ask(null)} />`}`;
}
