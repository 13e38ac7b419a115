/** The config maps of a project. Their values are no secrets, and are shown. */

import { resource } from '../operations.js';
import { useRead } from '../read.js';
import { Value } from '../text.js';
import { Copy, html } from '../ui.js';
import { Add } from './add.js';
import { Keyed } from './keyed.js';
import { List } from './list.js';

const COLUMNS = [{ title: 'Keys', label: 'Keys', cell: (row) => row.key_count ?? '–' }];

const thingOf = (found) => found && {
  tag: found.entity_tag,
  says: 'Config map',
  created: found.created_at,
  keys: Object.keys(found.data || {}).map((name) => ({ name })),
  data: found.data || {},
  needs: [],
};

function Map({ project, name }) {
  const { value: found, problem, load } = useRead((options) => resource(project.id, 'config_maps', name, { signal: options.signal }));
  const thing = thingOf(found);
  const cell = (key) => ({
    value: html`<${Value} of=${thing.data[key]} label=${`Value of ${key}`} />`,
    acts: html`<${Copy} read=${() => thing.data[key]} what=${key} plain=${false} />`,
  });
  return html`<${Keyed} project=${project} kind="config_maps" name=${name} thing=${thing} problem=${problem}
    load=${async () => thingOf(await load())} cell=${cell} />`;
}

/** The screen. */
export function Maps({ project, names, place }) {
  if (names.length > 1) return html`<p>Nothing is at this address.</p>`;
  if (names.length) return html`<${Map} project=${project} name=${names[0]} />`;
  return html`<${List} project=${project} place=${place} kind="config_maps" columns=${COLUMNS}
    make=${(more) => html`<${Add} project=${project} kind="config_maps" ...${more} />`}
    empty=${{ title: 'No config maps yet', text: 'A config map holds settings by key, which apps, jobs and functions refer to. What is secret belongs in a secret.' }}
    old="This host is too old to list config maps by name alone." />`;
}
