/** The secrets of a project: names and facts. No value is sent for the list. */

import { FORMATS } from './formats.js';
import { Add } from './add.js';
import { List } from './list.js';
import { Secret } from './secret.js';
import { html } from '../ui.js';

const COLUMNS = [
  { title: 'Format', cell: (row) => FORMATS[row.format]?.title || row.format },
  { title: 'Keys', label: 'Keys', cell: (row) => row.key_count ?? '–' },
];

/** The screen. */
export function Secrets({ project, names, place }) {
  if (names.length > 1) return html`<p>Nothing is at this address.</p>`;
  if (names.length) return html`<${Secret} project=${project} name=${names[0]} />`;
  return html`<${List} project=${project} place=${place} kind="secrets" columns=${COLUMNS}
    make=${(more) => html`<${Add} project=${project} kind="secrets" ...${more} />`}
    empty=${{ title: 'No secrets yet', text: 'A secret holds values by key, sealed under the key of this project: passwords, tokens, certificates.' }}
    foot="Values are never sent for this list. Each reveal is one read, and the host keeps a record of it."
    old="This host is too old to list secrets without their values." />`;
}
