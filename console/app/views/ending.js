/** Delete, restore, destroy: what each asks before, and what it tells after. */

import { now } from '../api.js';
import { settle, toast, useChange } from '../change.js';
import { found, load, state, useProjects } from '../data.js';
import { contents, deleteProject, destroyProject, restoreProject } from '../operations.js';
import { short, whole } from '../time.js';
import { Command, Dialog, Field, Trouble, html, which, words } from '../ui.js';
import { useEffect, useRef, useState } from '../vendor/preact-htm.js';

const WEEK = 7 * 86_400_000;
const LATE = ['project_not_restorable', 'resource_not_found']; // as what has been restored, or destroyed, answers
const NOW = { active: 'is active', deleted: 'is deleted', due: 'is past its deadline', ending: 'is being destroyed', gone: 'is gone', anew: 'was restored and deleted again meanwhile', other: 'has changed' };
const NAMES = { secrets: 'secret', config_maps: 'config map', apps: 'app', jobs: 'job', functions: 'function', builds: 'build' }; // what has a screen

/** Name a project within a sentence. */
export const quoted = (project) => `“\u2068${project.name}\u2069”`;

/** Say what a project holds: `4 secrets and 1 config map`; empty for what is not known. */
export function held(counts) {
  const parts = Object.entries(NAMES).filter(([kind]) => counts?.[kind] > 0)
    .map(([kind, one]) => `${counts[kind]} ${one}${counts[kind] === 1 ? '' : 's'}`);
  return parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : parts.join('');
}

/** Do what may fail half-way; whatever came of it, the list then says what is there. */
async function tried(act) {
  try {
    return await act();
  } catch (problem) {
    load();
    throw problem;
  }
}

async function back(project) {
  try {
    await tried(() => restoreProject(project.reclamation));
  } catch (problem) { // unless somebody else was first, who wanted the same
    if (!LATE.includes(problem.code)) throw problem;
    await load();
    const one = found(project.id);
    const anew = one && state(one) === 'deleted' && one.reclamation !== project.reclamation;
    if (anew) await restoreProject(one.reclamation); // it was restored, and deleted again, since
    else if (!one || state(one) !== 'active') throw problem;
  }
  settle();
  await load();
  toast(`${quoted(project)} is back, complete.`);
}

/** Give `{restore(project), trouble}`: one click, no question. */
export function useRestore() {
  const last = useRef();
  const { problem, send } = useChange(back);
  const restore = (project) => { last.current = project; send(project); };
  const over = LATE.includes(problem?.code);
  const retry = over ? undefined : () => send(last.current);
  return { restore, trouble: problem && { problem, retry, lead: over ? 'It is too late.' : undefined } };
}

/** Close a dialog whose matter has settled: in another tab, or by a change whose answer was lost. */
function useStill(project, wanted, busy, close) {
  const { rows } = useProjects();
  const one = rows?.find(({ id }) => id === project.id);
  const anew = one && project.reclamation && one.reclamation && one.reclamation !== project.reclamation;
  const is = (anew && 'anew') || (one ? state(one) : 'gone');
  const over = rows && !busy && is !== wanted;
  useEffect(() => {
    if (!over) return;
    close();
    toast(`${quoted(project)} ${NOW[is]}.`);
  }, [over]);
}

/** Ask before a project is deleted: what stops at once, and until when it can be taken back. */
export function DeleteProject({ project, close, done }) {
  const [counts, count] = useState(null);
  useEffect(() => {
    const gone = new AbortController();
    contents(project.id, { signal: gone.signal, once: true }).then(count, () => {});
    return () => gone.abort();
  }, []);
  const { busy, problem, send } = useChange(async () => {
    await tried(() => deleteProject(project.id));
    close();
    await load();
    const gone = found(project.id);
    const undo = gone?.reclamation && (() => back(gone).catch((why) => toast(`${quoted(project)} is not back. ${words(why)}`)));
    const settled = undo && (() => { const one = found(project.id); return !one || state(one) !== 'deleted'; });
    toast(`${quoted(project)} is deleted, restorable until ${short(gone?.deadline || now() + WEEK)}.`, undo, settled);
    done?.();
  });
  useStill(project, 'active', busy, close);
  const until = now() + WEEK;
  const what = held(counts);
  return html`<${Dialog} title=${`Delete project ${quoted(project)}?`} close=${close} busy=${busy} submit=${() => send()}>
    <ul><li>${what ? `${what} can no longer be read or changed, at once.` : 'Everything in it can no longer be read or changed, at once.'}</li>
      <li>You can restore all of it, unchanged, until <b class="tight">${whole(until)}</b>.</li>
      <li>After that its key is destroyed, and nobody can bring it back.</li></ul>
    <p class="small">It keeps its name and its slot until then.</p>
    <${Trouble} problem=${problem} /><${Command} line=${`ce project delete ${which(project)}`} />
    <div class="row end"><button type="button" class="button" data-first data-close>Cancel</button>
      <button class="button danger" aria-busy=${String(busy)}>Delete, restorable until ${short(until)}</button></div><//>`;
}

/** Ask before a deleted project is destroyed: its name is typed, or the head of its id. */
export function Destroy({ project, close }) {
  const [typed, type] = useState('');
  const { busy, problem, send } = useChange(async () => {
    await tried(() => destroyProject(project.reclamation));
    close();
    await load();
    toast(`${quoted(project)} is being destroyed.`);
  });
  useStill(project, 'deleted', busy, close);
  const word = /^[!-~]+( [!-~]+)*$/.test(project.name) ? project.name : project.id.slice(0, 8);
  const same = typed === word;
  return html`<${Dialog} title=${`Destroy ${quoted(project)} now?`} close=${close} busy=${busy} submit=${() => same && send()}>
    <div class="note red"><b>This cannot be taken back</b>, not by you and not by whoever runs this host.</div>
    <ul><li>Its encryption key is destroyed first; everything in it is unreadable from then on.</li>
      <li>Then its documents are removed, and its name and slot are free.</li></ul>
    <${Field} label=${html`Type <code>${word}</code> to confirm`} first=${true} value=${typed} onInput=${(event) => type(event.target.value)} />
    <p class="hint" role="status">${same ? `The ${word === project.name ? 'name' : 'ID'} matches.` : `Without you it is kept until ${whole(project.deadline)}.`}</p>
    <${Trouble} problem=${problem} /><${Command} line=${`ce reclamation delete ${which(project)}`} />
    <div class="row end"><button type="button" class="button" data-close>Keep it</button>
      <button class=${`button danger ${same ? 'filled' : ''}`} aria-disabled=${same ? undefined : 'true'} aria-busy=${String(busy)}>Destroy for good</button></div><//>`;
}
