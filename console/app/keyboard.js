/**
 * Single keys: `/` filters, `g` and a letter goes, `?` helps. None acts in a field or a dialog, nor
 * once they are switched off (WCAG 2.1.4); the switch lasts as long as the page.
 */

import { go } from './route.js';
import { Dialog, html } from './ui.js';
import { useState } from './vendor/preact-htm.js';

let on = true;

/** Listen to single keys; gives what ends it. */
export function keys(screens, help) {
  let going = false;
  function pressed(event) {
    const typing = event.target.closest?.('input, textarea, select, dialog, [contenteditable]');
    if (!on || typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const screen = going && screens.find((one) => one.key === event.key);
    going = event.key === 'g' && !going;
    if (screen) go(`#/${screen.at}`);
    else if (event.key === '?') help();
    else if (event.key === '/') document.querySelector('main input.filter')?.focus();
    else return;
    event.preventDefault();
  }
  window.addEventListener('keydown', pressed);
  return () => window.removeEventListener('keydown', pressed);
}

/** The dialog that names the keys. */
export function Help({ screens, close }) {
  const [used, use] = useState(on);
  const rows = [['/', 'filter'], ...screens.map((one) => [`g ${one.key}`, one.title]), ['?', 'this help'], ['Esc', 'close']];
  return html`<${Dialog} title="Keyboard shortcuts" close=${close} submit=${close}>
    <dl class="row">${rows.map(([key, does]) => html`<div class="row" key=${key}><dt>${key.split(' ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${does}</dd></div>`)}</dl>
    <label class="check"><input type="checkbox" checked=${used} onChange=${() => { on = !used; use(on); }} /><span>Single keys act</span></label>
    <div class="row end"><button class="button" data-first>Close</button></div><//>`;
}
