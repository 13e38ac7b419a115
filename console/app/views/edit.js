/**
 * Change one key and leave the others: by a patch under the entity tag of what is on the screen.
 * Where someone else was faster nothing is written, and nothing that was typed is lost.
 */

import { toast, useChange } from '../change.js';
import { fault } from '../envfile.js';
import { KINDS } from '../kinds.js';
import { patch } from '../operations.js';
import { quote } from '../text.js';
import { clock } from '../time.js';
import { Dialog, Field, Lost, Trouble, html, words } from '../ui.js';
import { Seen, ValueField } from './values.js';
import { useEffect, useRef, useState } from '../vendor/preact-htm.js';

function usePatch({ project, kind, name, thing, load, close }) {
  const [first] = useState(thing.tag);
  const [tag, setTag] = useState(first);
  const [other, setOther] = useState(null); // what someone else wrote meanwhile
  const change = useChange(async ({ data, said }, again) => {
    try {
      await patch(project.id, kind, name, data, tag, again);
    } catch (problem) {
      const fresh = problem.status === 412 && await load();
      if (!fresh) throw problem;
      setOther(fresh);
      return;
    }
    close();
    toast(said);
    await load();
  });
  const keep = () => {
    setTag(other.tag);
    setOther(null);
    requestAnimationFrame(() => document.querySelector('dialog[open] [data-first]')?.focus());
  };
  return { ...change, other, keep, looked: tag !== first };
}

function Conflict({ name, other, close, keep }) {
  const own = useRef();
  useEffect(() => own.current.focus(), []); // where Save was, which has gone
  return html`<div class="note amber stack" role="alert" tabindex="-1" ref=${own}>
  <p>${quote(name)} was changed by someone else${other.changed ? html` at <b>${clock(Date.parse(other.changed))}</b>` : ''}. Nothing of yours is written yet.</p>
  <div class="row"><button type="button" class="button primary" onClick=${close}>Load the new one</button>
    <button type="button" class="button" onClick=${keep}>Keep mine, look at both</button></div></div>`;
}

function Both({ there, stored }) {
  return html`<div class="field"><span class="label">Stored now</span><div class="both">${there ? stored.value : html`<span class="small">It has no such key.</span>`}</div>
    ${there && stored.acts && html`<div class="row">${stored.acts}</div>`}</div>`;
}

const pointed = (problem, key) => ['data', `data.${key}`].includes(problem?.field);

/** Give a key a value: a new key where none is named. `stored` draws what is stored of a key. */
export function EditKey({ of, keyName, stored, close }) {
  const { project, kind, name, thing } = of;
  const [key, setKey] = useState(keyName || '');
  const secret = kind === 'secrets';
  const [value, setValue] = useState((keyName && !secret && thing.data[keyName]) || '');
  const [seen, see] = useState(!secret);
  const [wrong, setWrong] = useState('');
  const { busy, problem, send, other, keep, looked } = usePatch({ ...of, close });
  const there = thing.keys.some((one) => one.name === key);
  function submit() {
    const said = fault(key);
    if (said) setWrong(`${said[0].toUpperCase()}${said.slice(1)}.`);
    else if (!keyName && there && !looked) setWrong('There is such a key. Edit it, or choose another name.');
    else if (!other) send({ data: { [key]: value }, said: `${quote(key)} of ${quote(name)} is saved.` });
  }
  const title = keyName ? `New value of ${quote(keyName)}` : `Add a key to ${quote(name)}`;
  const hint = keyName && secret && !looked ? 'What is stored is not loaded; what you give here replaces it.' : '';
  const said = pointed(problem, key) && words(problem);
  return html`<${Dialog} title=${title} close=${close} busy=${busy} submit=${submit}>
    ${!keyName && html`<${Field} label="Key" look="mono" first=${!looked} value=${key} wrong=${wrong} hint="Letters, digits, - _ and . as they are."
      onInput=${(event) => { setWrong(''); setKey(event.target.value); }} />`}
    ${looked && !other && html`<${Both} there=${there} stored=${stored(key)} />`}
    <${ValueField} label=${looked ? 'Yours' : 'Value'} area=${true} file=${true} seen=${seen} value=${value} set=${setValue} hint=${hint} wrong=${said} first=${keyName || looked} />
    ${secret && html`<${Seen} seen=${seen} see=${see} />`}<${Lost} project=${project} />
    ${other ? html`<${Conflict} name=${name} other=${other} close=${close} keep=${keep} />` : html`<${Trouble} problem=${said ? null : problem} retry=${problem?.status === 0 ? submit : null} />`}
    <div class="row end"><button type="button" class="button" data-close>Cancel</button>
      ${!other && html`<button class="button primary" aria-busy=${String(busy)}>${looked ? 'Save mine' : 'Save'}</button>`}</div><//>`;
}

/** Ask before a key is removed. */
export function RemoveKey({ of, keyName, close }) {
  const { name, kind } = of;
  const { busy, problem, send, other, keep, looked } = usePatch({ ...of, close });
  const remove = () => !other && send({ data: { [keyName]: null }, said: `${quote(keyName)} is removed from ${quote(name)}.` });
  return html`<${Dialog} title=${`Remove ${quote(keyName)}?`} close=${close} busy=${busy} submit=${remove}>
    <p>The other keys of ${KINDS[kind].one} ${quote(name)} stay. <b>This cannot be undone.</b></p>
    ${other ? html`<${Conflict} name=${name} other=${other} close=${close} keep=${keep} />` : html`<${Trouble} problem=${problem} retry=${problem?.status === 0 ? remove : null} />`}
    <div class="row end"><button type="button" class="button" data-first data-close>Cancel</button>
      ${!other && html`<button class="button danger" aria-busy=${String(busy)}>${looked ? 'Remove it all the same' : 'Remove'}</button>`}</div><//>`;
}
