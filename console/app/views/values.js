/** The fields in which values are typed, pasted or read from a file: of a secret, unseen. */

import { length } from '../text.js';
import { Field, html } from '../ui.js';
import { useRef, useState } from '../vendor/preact-htm.js';

const MOST = 4 * 1024 * 1024; // bytes of a file that is read at all

async function read(file) {
  if (file.size > MOST) throw new Error('This file is too large: a value has at most 1,048,576 characters.');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error('This file is not text in UTF-8.');
  }
}

const MARK = '\ufeff'; // of bytes' order, which some editors put first

/** True if all lines end with CRLF, false if none does or some; nothing if there is one line alone. */
const dos = (text) => (/[\r\n]/.test(text) ? !/(^|[^\r])\n|\r(?!\n)/.test(text) : undefined);

/** Say what who types unseen may want to know of it. */
function about(value) {
  if (!value) return '';
  return `${length(value)}${value.trim() === value ? '' : '; it begins or ends with a blank or a line end'}.`;
}

/** A button that reads a file of text. */
function FromFile({ what, take, fail }) {
  async function chosen(event) {
    const { target } = event;
    const [file] = target.files;
    if (!file) return;
    try {
      const text = await read(file);
      if (text.startsWith(MARK)) take(text.slice(1), `${file.name}, without its byte order mark`);
      else take(text, file.name);
    } catch (problem) {
      fail(problem.message);
    }
    target.value = '';
  }
  return html`<label class="button file">From a file…<span class="hidden"> ${what}</span><input type="file" class="hidden" onChange=${chosen} /></label>`;
}

/**
 * A field for a value: `seen` shows it, `area` takes lines, `told` says how long it is. A browser's
 * field has no CRLF: where all lines ended so they do after typing, too.
 */
export function ValueField({ label, value, set, seen = true, area, file, told = !seen, hint, wrong, ...rest }) {
  const [failed, fail] = useState('');
  const [from, setFrom] = useState('');
  const ends = useRef();
  ends.current = dos(value) ?? ends.current;
  const plain = value.replace(/\r\n?/g, '\n');
  const typed = ({ target }) => { fail(''); setFrom(''); set(ends.current ? target.value.replaceAll('\n', '\r\n') : target.value); };
  const lines = plain !== value && (ends.current ? 'Its lines end with CRLF, and stay so.' : 'Its line ends become LF as soon as you type.');
  const says = [hint, from && `Read from ${from}.`, lines, told && about(value)].filter(Boolean).join(' ');
  const take = (text, name) => { fail(''); setFrom(name); set(text); };
  const kind = area ? { area: true, look: seen ? 'mono' : 'masked', wrap: 'off' } : { type: seen ? 'text' : 'password', look: 'mono', autocomplete: 'off' };
  return html`<div class="stack close"><${Field} label=${label} value=${area ? plain : value} onInput=${typed} hint=${says} wrong=${failed || wrong} autocapitalize="off" ...${kind} ...${rest} />
    ${file && html`<div><${FromFile} what=${`for ${label}`} take=${take} fail=${fail} /></div>`}</div>`;
}

/** Whether what is typed is shown. */
export const Seen = ({ seen, see }) => html`<label class="check"><input type="checkbox" checked=${seen} onChange=${() => see(!seen)} /><span>Show what I type</span></label>`;
