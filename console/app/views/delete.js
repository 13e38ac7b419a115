/** Ask before something that a project holds is deleted, which is for good. */

import { toast, useChange } from '../change.js';
import { KINDS, command } from '../kinds.js';
import { deleteResource, keysOf, resource } from '../operations.js';
import { quote } from '../text.js';
import { Command, Dialog, Trouble, html } from '../ui.js';
import { useState } from '../vendor/preact-htm.js';

/** Give what tells one from another under its name: its tag, or its ID where it has none. */
export const tagOf = (found) => found?.entity_tag ?? found?.id;

const read = (project, kind, name) => (kind === 'secrets' ? keysOf(project.id, name, { once: true }) : resource(project.id, kind, name, { once: true }));

/** The question, about what has this `tag`; `done` follows once it is gone. */
export function Delete({ project, kind, name, tag, close, done }) {
  const { one, takes } = KINDS[kind];
  const [meant, mean] = useState(tag);
  const [other, setOther] = useState(false);
  const { busy, problem, send } = useChange(async () => {
    let gone = false;
    try {
      const found = tagOf(await read(project, kind, name));
      if (meant && found !== meant) { // another by now: it was changed, or made anew under the name
        mean(found);
        setOther(true);
        return;
      }
      await deleteResource(project.id, kind, name);
    } catch (refused) {
      if (refused.status !== 404) throw refused;
      gone = true;
    }
    close();
    toast(gone ? `${quote(name)} was gone already.` : `${quote(name)} is deleted.`);
    await done?.();
  });
  const line = command(project, kind, 'delete', name);
  return html`<${Dialog} title=${`Delete ${one} ${quote(name)}?`} close=${close} busy=${busy} submit=${() => send()}>
    <p><b>This cannot be undone.</b> ${takes}</p>
    ${other && html`<div class="note amber" role="alert">${quote(name)} is not what it was: it was changed, or deleted and made anew, meanwhile. Nothing is deleted yet.</div>`}
    <${Trouble} problem=${problem} />${line && html`<${Command} line=${line} />`}
    <div class="row end"><button type="button" class="button" data-first data-close>Cancel</button>
      <button class="button danger" aria-busy=${String(busy)}>${other ? 'Delete it all the same' : `Delete ${one}`}</button></div><//>`;
}
