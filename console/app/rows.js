/**
 * The rows of a table, and where the focus goes when one vanishes or changes: to what took its
 * place, else to the heading.
 */

import { html, useLayoutEffect, useRef } from './vendor/preact-htm.js';

/** Focus a row by its place, else the heading. */
export function focusRow(index) {
  requestAnimationFrame(() => {
    const rows = document.querySelectorAll('main tbody tr');
    const row = rows[Math.min(index, rows.length - 1)];
    const aim = row?.querySelector('a, button') || document.querySelector('main h1');
    aim?.focus();
  });
}

/** A table's body; it looks after the focus at each drawing, a poll's too. */
export function Rows({ children }) {
  const own = useRef();
  const held = useRef(null);
  const index = (target) => [...own.current.rows].indexOf(target.closest('tr'));
  function mend() {
    if (!held.current || held.current.target.isConnected) return;
    if (document.activeElement === document.body) focusRow(held.current.index);
    held.current = null;
  }
  useLayoutEffect(mend);
  useLayoutEffect(() => () => requestAnimationFrame(mend), []); // with the last row the table goes
  const focused = ({ target }) => { held.current = { target, index: index(target) }; };
  const left = ({ relatedTarget }) => { if (relatedTarget && !own.current?.contains(relatedTarget)) held.current = null; };
  return html`<tbody ref=${own} onfocusin=${focused} onfocusout=${left}>${children}</tbody>`;
}
