/**
 * What the console asks of the host: an operation a line, and the only place beside api.js that
 * knows paths and members of answers. No address in an answer is ever followed.
 */

import { ask } from './api.js';

const PAGE = 200;

/** Build a path: what is put in becomes one segment. There is none for a dot or two, which URLs take for steps. */
const path = (parts, ...names) => (names.some((name) => name === '.' || name === '..') ? '' : String.raw({ raw: parts }, ...names.map(encodeURIComponent)));

/** Read a list page by page; `drawn` has what is there after each page. */
async function pages(to, member, { signal, drawn } = {}) {
  const found = [];
  for (let start = ''; ;) {
    const query = new URLSearchParams({ limit: PAGE, ...(start && { start }) });
    const answer = await ask('GET', to && `${to}?${query}`, { signal });
    found.push(...answer[member]);
    start = answer.next?.start;
    if (!start) return found;
    drawn?.([...found]);
  }
}

/** Projects, each with the end of its retention where it is deleted, by name. */
export async function projects(options) {
  let ends = new Map();
  const joined = (found) => found.map((one) => ({ ...one, ...ends.get(one.id) }));
  const ending = ask('GET', '/v1/reclamations', options).then((answer) => {
    ends = new Map(answer.resources.map((one) => [one.entity_id, {
      reclamation: one.id,
      deleted: Date.parse(one.created_at),
      deadline: one.target_time ? Date.parse(one.target_time) : null,
    }]));
  });
  const drawn = options?.drawn && ((found) => options.drawn(joined(found)));
  const [found] = await Promise.all([pages('/v2/projects', 'projects', { ...options, drawn }), ending]);
  return joined(found);
}

export const createProject = (name, again) => ask('POST', '/v2/projects', { body: { name }, again });
export const deleteProject = (id) => ask('DELETE', path`/v2/projects/${id}`);
export const restoreProject = (reclamation) => ask('POST', path`/v1/reclamations/${reclamation}/actions/restore`);
export const destroyProject = (reclamation) => ask('POST', path`/v1/reclamations/${reclamation}/actions/reclaim`);
export const contents = (id, options) => ask('GET', path`/v1/projects/${id}/contents`, options);
export const details = (id, options) => ask('GET', path`/v2/projects/${id}/status_details`, options);

/** What a project holds of a kind: names and facts, never a value. */
export const metadata = (id, collection, options) => pages(path`/v1/projects/${id}/${collection}`, collection, options);

/** One resource as it is stored: of config maps and templates alone, for a secret's has its values. */
export const resource = (id, collection, name, options) => ask('GET', path`/v2/projects/${id}/${collection}/${name}`, options);
export const createResource = (id, collection, body, again) => ask('POST', path`/v2/projects/${id}/${collection}`, { body, again });
export const deleteResource = (id, collection, name) => ask('DELETE', path`/v2/projects/${id}/${collection}/${name}`);

/** The names and sizes of a secret's keys. */
export const keysOf = (id, name, options) => ask('GET', path`/v1/projects/${id}/secrets/${name}/keys`, options);

/** The value of one key: one read, of which the host keeps a record. */
export const valueOf = (id, name, key, options) => ask('GET', path`/v1/projects/${id}/secrets/${name}/keys/${key}`, options);

/** Change some keys and leave the others: `data` has their new values, null for one to remove. */
export function patch(id, collection, name, data, tag, again) {
  const type = 'application/merge-patch+json';
  return ask('PATCH', path`/v1/projects/${id}/${collection}/${name}`, { body: { data }, tag, again, type });
}

export const apiKeys = (options) => pages('/v1/apikeys', 'apikeys', options);
export const ownKey = (options) => ask('GET', '/v1/apikeys/self', options);
export const createApiKey = (body, again) => ask('POST', '/v1/apikeys', { body, again });
export const deleteApiKey = (id) => ask('DELETE', path`/v1/apikeys/${id}`);
