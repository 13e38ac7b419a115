/**
 * Texts from outside, drawn so that they cannot deceive: what has no shape or turns the direction
 * is drawn as its number. Large ones are drawn in part; Copy gives all.
 */

import { html } from './vendor/preact-htm.js';

const MOST = 4096; // bytes that are drawn
// By category, and what else may be drawn as nothing (shared/projects/names.py), an empty Braille cell too.
const ODD = /((?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}])/u;

/** Name something within a sentence. */
export const quote = (name) => `“\u2068${name}\u2069”`;

/** Give a number of bytes in words. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} byte${bytes === 1 ? '' : 's'}`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 102.4) / 10} KiB` : `${Math.round(bytes / 104_857.6) / 10} MiB`;
}

/** Say how long a text is, as who types it unseen wants to know. */
export function length(text) {
  const [signs, lines] = [[...text].length, text.split('\n').length];
  return `${signs.toLocaleString('en')} character${signs === 1 ? '' : 's'}${lines > 1 ? `, ${lines.toLocaleString('en')} lines` : ''}`;
}

function number(sign) {
  const hex = sign.codePointAt(0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/** A value: `label` says whose; long ones scroll. */
export function Value({ of, label, most = MOST }) {
  if (of === '') return html`<span class="small">empty</span>`;
  const { read, written } = new TextEncoder().encodeInto(of, new Uint8Array(most));
  const parts = of.slice(0, read).split(ODD);
  const tall = read > 600 || of.split('\n').length > 12;
  const all = tall && new TextEncoder().encode(of).length;
  const more = tall ? { tabindex: 0, role: 'group', 'aria-label': label } : {};
  return html`<span class=${`value ${tall ? 'tall' : ''}`} ...${more}>${parts.map((part, index) => (index % 2 ? html`<span class="escape">${number(part)}</span>` : part))}</span>
    ${all > written && html`<span class="small block">These are the first ${size(written)} of ${size(all)}. Copy gives all.</span>`}`;
}
