/** What is deleted and waits: how long it can still be taken back, and the way to destroy it now. */

import { may, now } from '../api.js';
import { Act, copy } from '../change.js';
import { load, state, useProjects } from '../data.js';
import { to } from '../route.js';
import { ago, soon, whole } from '../time.js';
import { Countdown, Item, Menu, Name, Rows, Skeleton, Trouble, html } from '../ui.js';
import { Destroy, useRestore } from './ending.js';
import { useState } from '../vendor/preact-htm.js';

function Left({ project }) {
  const is = state(project);
  if (is !== 'deleted') return html`<span class="status square">${is === 'due' ? 'Now: its deadline is over' : 'Being destroyed'}</span>`;
  return html`<span class=${`status ${soon(project.deadline, now()) ? 'diamond' : 'ring'}`}><${Countdown} deadline=${project.deadline} /></span>`;
}

function Row({ project, restore, ask }) {
  const waits = state(project) === 'deleted';
  const deny = may('project.manage') ? '' : 'It takes the role editor or administrator.';
  const purge = may('project.purge') ? '' : 'It takes the role purge or administrator.';
  return html`<tr><td><a href=${to`#/projects/${project.id}/settings`}><b><${Name} of=${project.name} /></b></a></td>
    <td data-label="Destroyed in"><${Left} project=${project} /></td>
    <td data-label="Deadline">${project.deadline ? html`<time datetime=${new Date(project.deadline).toISOString()}>${whole(project.deadline)}</time>` : '–'}</td>
    <td data-label="Deleted" class="small">${project.deleted ? ago(project.deleted, now()) : '–'}</td>
    <td class="do">${waits && html`<${Act} look="primary" why=${deny} act=${() => restore(project)}>Restore<span class="hidden"> ${project.name}</span><//>`}
      <${Menu} label=${`⋯ of ${project.name}`}>
        ${navigator.clipboard && html`<${Item} act=${() => copy(project.id, 'The ID is copied.')}>Copy ID<//>`}
        ${waits && html`<${Item} danger=${true} why=${purge} act=${() => ask(project)}>Destroy now…<//>`}<//></td></tr>`;
}

/** The screen. */
export function Deleted() {
  const { rows, problem } = useProjects();
  const [asked, ask] = useState(null);
  const { restore, trouble } = useRestore();
  const found = (rows || []).filter((one) => state(one) !== 'active').sort((one, other) => (one.deadline || 0) - (other.deadline || 0));
  return html`<div class="head"><div><h1 tabindex="-1">Deleted projects</h1>
      <p class="sub">Complete until their deadline. Then the key is destroyed, and nobody can bring them back.</p></div></div>
    <${Trouble} problem=${problem?.status === 0 && rows ? null : problem} retry=${load} /><${Trouble} ...${trouble} />
    ${!rows && !problem && html`<${Skeleton} />`}
    ${rows && found.length === 0 && html`<div class="empty"><h2>Nothing is deleted</h2><p>A deleted project waits here for seven days, with everything in it.</p></div>`}
    ${found.length > 0 && html`<table><caption class="hidden">Deleted projects</caption>
      <thead><tr><th scope="col">Name</th><th scope="col">Destroyed in</th><th scope="col">Deadline</th><th scope="col">Deleted</th><td></td></tr></thead>
      <${Rows}>${found.map((one) => html`<${Row} key=${one.id} project=${one} restore=${restore} ask=${ask} />`)}<//></table>`}
    ${asked && html`<${Destroy} project=${asked} close=${() => ask(null)} />`}`;
}
