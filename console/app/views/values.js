/** The fields in which values are typed, pasted or read from a file: of a secret, unseen. */

import { length } from '../text.js';
import { Field, html } from '../ui.js';
import { useState } from '../vendor/preact-htm.js';

const MOST = 4 * 1024 * 1024; // bytes of a file that is read at all

async function read(file) {
  if (file.size > MOST) throw new Error('This file is too large: a value has at most 1,048,576 characters.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error('This file is not text in UTF-8.');
  }
}

/** Say what who types unseen may want to know of it. */
function about(value) {
  if (!value) return '';
  return `${length(value)}${value.trim() === value ? '' : '; it begins or ends with a blank or a line end'}.`;
}

/** A button that reads a file of text. */
export function FromFile({ what, take, fail }) {
  async function chosen(event) {
    const { target } = event;
    const [file] = target.files;
    if (!file) return;
    try {
      take(await read(file), file.name);
    } catch (problem) {
      fail(problem.message);
    }
    target.value = '';
  }
  return html`<label class="button file">From a file…<span class="hidden"> ${what}</span><input type="file" class="hidden" onChange=${chosen} /></label>`;
}

/** A field for a value: `seen` shows it, `area` takes lines, `told` says how long it is. */
export function ValueField({ label, value, set, seen = true, area, file, told = !seen, hint, wrong, ...rest }) {
  const [failed, fail] = useState('');
  const [from, setFrom] = useState('');
  const typed = (event) => { fail(''); setFrom(''); set(event.target.value); };
  const says = [hint, from && `Read from ${from}.`, told && about(value)].filter(Boolean).join(' ');
  const take = (text, name) => { fail(''); setFrom(name); set(text); };
  const kind = area ? { area: true, look: seen ? 'mono' : 'masked', wrap: 'off' } : { type: seen ? 'text' : 'password', look: 'mono', autocomplete: 'off' };
  return html`<div class="stack close"><${Field} label=${label} value=${value} onInput=${typed} hint=${says} wrong=${failed || wrong} autocapitalize="off" ...${kind} ...${rest} />
    ${file && html`<div><${FromFile} what=${`for ${label}`} take=${take} fail=${fail} /></div>`}</div>`;
}

/** Whether what is typed is shown. */
export const Seen = ({ seen, see }) => html`<label class="check"><input type="checkbox" checked=${seen} onChange=${() => see(!seen)} /><span>Show what I type</span></label>`;
