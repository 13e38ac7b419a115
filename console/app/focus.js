/**
 * Where the focus goes when what had it vanishes: in a dialog to the control that came after it,
 * else before it; on the page to its heading. Whoever knows a better place puts it there first.
 */

const CONTROLS = 'a[href], button, input:not(.hidden), select, textarea, [tabindex="0"]';
let held = null; // what has the focus, and what could have it around there

const lost = () => held && !held.target.isConnected && document.activeElement === document.body;

function mend() {
  if (!lost()) return;
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  const at = held.near.indexOf(held.target);
  const near = dialog && [...held.near.slice(at), ...held.near.slice(0, at).reverse()].find((one) => dialog.contains(one));
  const aim = near || dialog?.querySelector(CONTROLS) || document.querySelector('main h1') || document.querySelector('main');
  aim?.focus();
}

/** Wait for some frames: a row, a closing dialog, a new screen have their own ways. */
function later(frames, act) {
  requestAnimationFrame(() => (frames > 1 ? later(frames - 1, act) : act()));
}

/** Look after it, from now on. */
export function keepFocus() {
  document.addEventListener('focusin', ({ target }) => {
    held = { target, near: [...(target.closest('dialog')?.querySelectorAll(CONTROLS) || [])] };
  });
  document.addEventListener('focusout', ({ target }) => {
    requestAnimationFrame(() => { // left by a click on the bare page, not gone
      if (held?.target === target && target.isConnected && document.activeElement === document.body) held = null;
    });
  });
  new MutationObserver(() => lost() && later(3, mend)).observe(document.body, { childList: true, subtree: true });
}
