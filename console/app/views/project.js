/** One project: what it is, and a tab for each thing it holds. Deleted, it can only be restored. */

import { may, now } from '../api.js';
import { Act, toast } from '../change.js';
import { load, state, useProjects } from '../data.js';
import { details } from '../operations.js';
import { go, to } from '../route.js';
import { ago, whole } from '../time.js';
import { Copy, Name, Skeleton, Trouble, html } from '../ui.js';
import { DeleteProject, quoted, useRestore } from './ending.js';
import { Maps } from './maps.js';
import { Status } from './projects.js';
import { Secrets } from './secrets.js';
import { Templates } from './templates.js';
import { useEffect, useRef, useState } from '../vendor/preact-htm.js';

/** In the order of the tabs; what has no screen yet has neither a tab nor a page. */
const TABS = [
  { at: 'secrets', title: 'Secrets', screen: Secrets },
  { at: 'maps', title: 'Config maps', screen: Maps },
  { at: 'templates', title: 'Templates', screen: Templates },
  { at: 'activity', title: 'Activity' },
  { at: 'settings', title: 'Settings', screen: Settings },
].filter((one) => one.screen);

function Settings({ project }) {
  const [asked, ask] = useState(false);
  const [more, setMore] = useState({});
  useEffect(() => {
    const gone = new AbortController();
    details(project.id, { signal: gone.signal, once: true }).then((told) => setMore({ told }), (problem) => gone.signal.aborted || setMore({ problem }));
    return () => gone.abort();
  }, [project.status]);
  const deny = may('project.manage') ? '' : 'It takes the role editor or administrator.';
  const fact = (name, value) => html`<dt>${name}</dt><dd class="mono">${value}</dd>`;
  return html`<section class="card stack"><h2>Facts</h2><dl>
      ${fact('ID', project.id)}${fact('CRN', project.crn)}<dt>Region</dt><dd>${project.region}</dd>
      <dt>Created</dt><dd>${whole(Date.parse(project.created_at))}</dd>
      ${more.told && html`<dt>Project</dt><dd>${more.told.project}</dd>`}</dl><${Trouble} problem=${more.problem} /></section>
    ${state(project) === 'active' && html`<section class="card stack"><h2>Delete this project</h2><p>Restorable for seven days, then destroyed for good.</p>
      <div><${Act} look="danger" why=${deny} act=${() => ask(true)}>Delete project…<//>
      ${deny && html`<p class="hint">${deny}</p>`}</div></section>`}
    ${asked && html`<${DeleteProject} project=${project} close=${() => ask(false)} done=${() => go('#/projects')} />`}`;
}

function Ended({ project }) {
  const { restore, trouble } = useRestore();
  const is = state(project);
  const deny = may('project.manage') ? '' : 'It takes the role editor or administrator.';
  if (is !== 'deleted') return html`<div class="note red">This project is being destroyed. Nothing in it can be read again.</div>`;
  return html`<div class="note amber row"><span>This project is deleted. Everything in it comes back if you restore it before <b class="tight">${whole(project.deadline)}</b>.</span>
    <${Act} look="primary" why=${deny} act=${() => restore(project)}>Restore<//></div><${Trouble} ...${trouble} />`;
}

function Nothing({ title, children }) {
  const own = useRef();
  useEffect(() => { if (document.activeElement === document.body) own.current.focus(); }, []);
  return html`<h1 tabindex="-1" ref=${own}>${title}</h1><p>${children} <a href="#/projects">Projects</a></p>`;
}

function Head({ project }) {
  const id = html`<code>${project.id.slice(0, 8)}</code><${Copy} read=${() => project.id} label="Copy ID" what="of this project" />`;
  return html`<div class="stack"><p class="crumb"><a href="#/projects">Projects</a> /</p><h1 tabindex="-1"><${Name} of=${project.name} /></h1>
    <div class="facts">${project.region && html`<${Status} project=${project} /><span>${project.region}</span><span>created ${ago(Date.parse(project.created_at), now())}</span>`}${id}</div></div>`;
}

const opened = () => document.querySelector('main dialog[open]');
const typed = () => [...(opened()?.querySelectorAll('input:not([type=checkbox]), textarea') || [])].some((one) => one.value);

/**
 * Give the project to draw. Where it is taken away elsewhere, what was typed into a dialog stays as
 * long as that is open; a dialog in which nothing was goes, and it is said why.
 */
function useKept(project, known) {
  const last = useRef(null);
  const [, draw] = useState(0);
  const active = project && state(project) === 'active';
  const before = last.current;
  const lost = before && !active && known;
  const kept = lost && Boolean(typed());
  const shut = lost && !kept && opened() && `${quoted(before)} was ${project ? 'deleted' : 'destroyed'} elsewhere meanwhile.`;
  if (!kept) last.current = active ? project : null;
  useEffect(() => { if (shut) toast(shut); }, [shut]);
  useEffect(() => {
    const timer = kept && setInterval(() => draw((count) => count + 1), 500); // until the dialog is closed
    return () => clearInterval(timer);
  }, [kept]);
  return kept ? { ...before, lost: project ? 'deleted' : 'destroyed' } : project;
}

/** The screen. A key that may not look at projects sees what it may of one whose address it has. */
export function Project({ place }) {
  const { rows, problem } = useProjects();
  const [, id, at = 'secrets', ...names] = place.segments;
  const unseen = problem?.status === 403 && !rows;
  const read = unseen ? { id, name: id, status: 'active' } : rows?.find((one) => one.id === id);
  const project = useKept(read, (rows || unseen) && at !== 'settings');
  const tab = TABS.find((one) => one.at === at);
  if (!tab) return html`<${Nothing} title="No such page">Nothing is at this address.<//>`;
  if (!rows && !unseen) return html`<h1 tabindex="-1">Project</h1>${problem ? html`<${Trouble} problem=${problem} retry=${load} />` : html`<${Skeleton} />`}`;
  if (!project) return html`<${Nothing} title="No such project">No project of this account has this ID: it may have been destroyed.<//>`;
  const active = state(project) === 'active';
  const Screen = unseen && at === 'settings' ? null : tab.screen;
  return html`<${Head} project=${project} />
    ${unseen && html`<${Trouble} problem=${problem} lead="Its name and state are not shown." />`}
    ${!active && html`<${Ended} project=${project} />`}
    <nav class="tabs" aria-label="In this project">${TABS.map((one) => html`<a key=${one.at} href=${to`#/projects/${id}/${one.at}`} aria-current=${one === tab ? 'page' : undefined}>${one.title}</a>`)}</nav>
    ${active || at === 'settings' ? Screen && html`<${Screen} key=${`${at}/${names.join('/')}`} project=${project} names=${names} place=${place} />` : html`<p class="sub">Not readable while deleted.</p>`}`;
}
