/**
 * The clipboard: what this page puts there, and when a secret's value is taken away again. It is
 * overwritten only if nothing newer can be in it: no other copy, and the tab was not left.
 */

import { useEffect, useState } from './vendor/preact-htm.js';

const KEPT = 30_000;
const SAID = {
  lent: 'Copied. The clipboard is cleared in 30 s while this tab stays in front.',
  left: 'Copied. The clipboard is not cleared: this tab was left, and it may hold something newer.',
  over: 'The clipboard is not cleared: it holds something newer.',
  cleared: 'The clipboard is cleared.',
};
const listeners = new Set();
let timer = 0; // until the value that is there is cleared; 0: nothing is to be
let said = '';

/** Where pages may not copy there is no button to. */
export const canCopy = () => Boolean(navigator.clipboard);

function tell(word) {
  said = word;
  for (const told of [...listeners]) told();
}

function keep(word) {
  if (!timer) return;
  clearTimeout(timer);
  timer = 0;
  tell(word);
}

/** Put a text there to stay. */
export async function put(text) {
  await navigator.clipboard.writeText(text);
  keep('over');
}

/** Put a secret's value there, for 30 s. */
export async function lend(value) {
  await navigator.clipboard.writeText(value);
  clearTimeout(timer);
  timer = setTimeout(async () => {
    timer = 0;
    await navigator.clipboard.writeText('').then(() => tell('cleared'), () => tell('left'));
  }, KEPT);
  tell('lent');
}

window.addEventListener('blur', () => keep('left'));
for (const event of ['copy', 'cut']) document.addEventListener(event, () => keep('over'));

/** Give what there is to say of the value that was copied. */
export function useClipboard() {
  const [, draw] = useState(0);
  useEffect(() => {
    const told = () => draw((count) => count + 1);
    listeners.add(told);
    return () => {
      listeners.delete(told);
      if (!timer) said = '';
    };
  }, []);
  return SAID[said] || '';
}
