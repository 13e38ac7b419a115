/** Ask before something that a project holds is deleted, which is for good. */

import { toast, useChange } from '../change.js';
import { KINDS, command } from '../kinds.js';
import { deleteResource } from '../operations.js';
import { quote } from '../text.js';
import { Command, Dialog, Trouble, html } from '../ui.js';

/** The question; `done` follows once it is gone. */
export function Delete({ project, kind, name, close, done }) {
  const { one, takes } = KINDS[kind];
  const { busy, problem, send } = useChange(async () => {
    await deleteResource(project.id, kind, name).catch((refused) => {
      if (refused.status !== 404) throw refused; // it has gone already, as was asked
    });
    close();
    toast(`${quote(name)} is deleted.`);
    await done?.();
  });
  const line = command(project, kind, 'delete', name);
  return html`<${Dialog} title=${`Delete ${one} ${quote(name)}?`} close=${close} busy=${busy} submit=${() => send()}>
    <p><b>This cannot be undone.</b> ${takes}</p>
    <${Trouble} problem=${problem} />${line && html`<${Command} line=${line} />`}
    <div class="row end"><button type="button" class="button" data-first data-close>Cancel</button>
      <button class="button danger" aria-busy=${String(busy)}>Delete ${one}</button></div><//>`;
}
