/**
 * One change at a time: a form that is being sent is busy, a second click does nothing, and what
 * was typed stays until the host has taken it. What happened is told at the foot of the page.
 */

import { put } from './clipboard.js';
import { html, useLayoutEffect, useRef, useState } from './vendor/preact-htm.js';

const SHOWN = 10_000;
let bread = null;
let redraw = () => {};

/** Tell what happened; `undo` is offered until the time is over, or `settled()` is true. */
export function toast(text, undo = null, settled = null) {
  bread = { text, undo, settled };
  redraw();
}

/** Take back what is told, once its matter is settled. */
export function settle() {
  bread = null;
  redraw();
}

/** Where it is told: always on the page, so that a screen reader hears of it. */
export function Toasts() {
  const [, draw] = useState(0);
  const [held, hold] = useState(null);
  redraw = () => draw((count) => count + 1);
  if (bread?.settled?.()) bread = null;
  const mine = bread;
  useLayoutEffect(() => {
    if (!mine || held === mine) return undefined;
    const timer = setTimeout(settle, SHOWN);
    return () => clearTimeout(timer);
  }, [mine, held]);
  const [on, off] = [() => hold(mine), () => hold(null)];
  function done(act) {
    settle();
    document.querySelector('main')?.focus();
    act?.();
  }
  return html`<div class="toasts" role="status">${mine && html`<div class="toast" onMouseEnter=${on} onMouseLeave=${off} onfocusin=${on} onfocusout=${off}>
    <span>${mine.text}</span>
    ${mine.undo && html`<button type="button" class="button" onClick=${() => done(mine.undo)}>Undo</button>`}
    <button type="button" class="button" aria-label="Close this message" onClick=${() => done()}>✕</button>
  </div>`}</div>`;
}

/** Copy a text, and tell what came of it. */
export const copy = (text, said) => put(text).then(() => toast(said), () => toast('Not copied: the browser does not allow it.'));

/** A button that acts, or says why it may not. */
export const Act = ({ why, act, look = '', children, ...rest }) => html`<button type="button" class=${`button ${look}`}
  aria-disabled=${why ? 'true' : undefined} title=${why || undefined} onClick=${() => (why ? toast(why) : act())} ...${rest}>${children}</button>`;

/** Give the name of a change: the same for the same body until the host has taken it. */
function named(held, body) {
  const text = JSON.stringify(body ?? null);
  if (!held.name || held.text !== text) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    held.name = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  held.text = text;
  return held.name;
}

/**
 * Give `{busy, problem, send}`: `act(body, again)` is under way at most once. Whatever was answered
 * before, the same body is sent under the same name: if it was taken and that answer was lost, it
 * is not taken twice.
 */
export function useChange(act) {
  const [state, set] = useState({ busy: false, problem: null });
  const held = useRef({ busy: false, text: '', name: '' }).current;
  async function send(body) {
    if (held.busy) return;
    held.busy = true;
    set({ busy: true, problem: null });
    try {
      await act(body, named(held, body));
      Object.assign(held, { text: '', name: '' });
      set({ busy: false, problem: null });
    } catch (problem) {
      set({ busy: false, problem });
    } finally {
      held.busy = false;
    }
  }
  return { ...state, send, clear: () => set({ busy: false, problem: null }) };
}
