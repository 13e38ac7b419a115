/**
 * What lies over the page: dialogs and menus, of the browser's own making. Both keep to the page's
 * state: what has none to close it with stays open, whatever is pressed.
 */

import { html, useLayoutEffect, useRef, useState } from './vendor/preact-htm.js';

const stack = []; // the open dialogs, the topmost last: it alone may close

/** Open anew, in their order, a dialog that the browser has closed and those over it. */
function reopen(from) {
  for (const one of stack.slice(stack.indexOf(from))) {
    one.dialog.close();
    one.opened();
  }
}

/**
 * A dialog that keeps the focus and gives it back; `submit` makes it a form. While `busy` it stays,
 * whatever is pressed (a button that closes has `data-close`): what is on its way cannot be called
 * back, and what comes of it is told here.
 */
export function Dialog({ title, close, submit, busy, whole: covers, children }) {
  const own = useRef();
  const gone = useRef(false);
  const me = useRef({}).current;
  const opened = () => {
    own.current.showModal();
    (own.current.querySelector('[data-first]') || own.current.querySelector('input, textarea, button'))?.focus();
  };
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const dialog = own.current;
    Object.assign(me, { dialog, opened });
    stack.push(me);
    opened();
    return () => {
      gone.current = true;
      stack.splice(stack.indexOf(me), 1);
      dialog.close();
      if (opener?.isConnected) opener.focus();
      requestAnimationFrame(() => { // what opened it has gone meanwhile
        if (document.activeElement === document.body) document.querySelector('main h1')?.focus();
      });
    };
  }, []);
  function closed() { // by the browser: a second Esc is none that a page may refuse
    if (gone.current || own.current.open) return;
    if (close && !busy && stack.at(-1) === me) close();
    else reopen(me);
  }
  const cancel = (event) => { event.preventDefault(); if (!busy && stack.at(-1) === me) close?.(); };
  const pressed = (event) => event.target.closest('[data-close]') && cancel(event);
  const sent = (event) => { event.preventDefault(); if (!busy) submit(event); };
  return html`<dialog class=${`dialog ${covers ? 'whole' : ''}`} ref=${own} aria-label=${title} onCancel=${cancel} onClose=${closed} onClick=${pressed}>
    ${submit ? html`<form method="dialog" onSubmit=${sent}><h2>${title}</h2>${children}</form>` : html`<div class="stack"><h2>${title}</h2>${children}</div>`}</dialog>`;
}

let menus = 0;

/** A button with a menu: `label` says whose. */
export function Menu({ label, text = '⋯', children, look = 'dots' }) {
  const [id] = useState(() => `menu-${(menus += 1)}`);
  const [own, button] = [useRef(), useRef()];
  function placed(event) {
    if (event.newState !== 'open' || CSS.supports('position-area', 'bottom')) return;
    const at = button.current.getBoundingClientRect();
    own.current.style.top = `${Math.min(at.bottom, innerHeight - own.current.offsetHeight)}px`;
    own.current.style.left = `${Math.max(at.right - own.current.offsetWidth, 0)}px`;
  }
  const chosen = (event) => event.target.closest('.item') && own.current.hidePopover();
  return html`<button type="button" class=${`button ${look}`} ref=${button} popovertarget=${id} aria-label=${label}>${text}</button>
    <div class="menu" id=${id} popover="auto" ref=${own} onToggle=${placed} onClick=${chosen}>${children}</div>`;
}

/** One thing to choose in a menu, which closes first: the focus is back before anything opens. */
export function Item({ act, why, danger, children }) {
  function chosen(event) {
    event.stopPropagation();
    if (why) return;
    event.currentTarget.closest('[popover]').hidePopover();
    act();
  }
  return html`<button type="button" class=${`item ${danger ? 'danger' : ''}`} aria-disabled=${why ? 'true' : undefined} onClick=${chosen}>
    <span>${children}</span>${why && html`<span class="small">${why}</span>`}</button>`;
}
