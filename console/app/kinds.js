/**
 * What a project can hold, a row a kind: its words, its place in the console, and the noun of the
 * command line. The collection's name is the API's.
 */

import { to } from './route.js';

const gone = (what) => `${what} go with it, and the service access secrets that nothing else is bound to.`;
const REFERRED = 'What refers to it stays, and finds nothing.';
export const KINDS = {
  secrets: { one: 'secret', title: 'Secrets', ce: 'secret', at: 'secrets', takes: REFERRED },
  config_maps: { one: 'config map', title: 'Config maps', ce: 'configmap', at: 'maps', takes: REFERRED },
  apps: { one: 'app', title: 'Apps', ce: 'application', takes: gone('Its revisions and bindings') },
  jobs: { one: 'job', title: 'Jobs', ce: 'job', takes: gone('Its runs and bindings') },
  builds: { one: 'build', title: 'Builds', ce: 'build' },
  functions: { one: 'function', title: 'Functions', ce: 'function', takes: gone('Its bindings') },
  job_runs: { one: 'job run', title: 'Job runs', ce: 'jobrun' },
  build_runs: { one: 'build run', title: 'Build runs', ce: 'buildrun' },
  bindings: { one: 'binding', title: 'Bindings' },
  domain_mappings: { one: 'domain mapping', title: 'Domain mappings', ce: 'domainmapping' },
  allowed_outbound_destinations: { one: 'allowed destination', title: 'Allowed destinations', ce: 'connectivity outbound' },
  persistent_data_stores: { one: 'data store', title: 'Data stores', ce: 'persistentdatastore' },
};

/** Those that are shown as templates: all but what has values by key. */
export const TEMPLATES = Object.keys(KINDS).filter((name) => !KINDS[name].at);

/** Give where one is shown, or all of a kind. */
export function address(project, collection, ...name) {
  const { at } = KINDS[collection];
  const list = at ? to`#/projects/${project.id}/${at}` : to`#/projects/${project.id}/templates`;
  if (!name.length) return at ? list : `${list}${to`?kind=${collection}`}`;
  return `${list}${at ? '' : to`/${collection}`}${to`/${name[0]}`}`;
}

const PLAIN = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/; // nothing that a shell reads
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/; // what has this form, `ce` takes for an ID

/** Give the command that does the same, for this project whichever is selected; empty if none. */
export function command(project, collection, verb, name, more = '') {
  const { ce } = KINDS[collection];
  if (!ce || !PLAIN.test(name)) return '';
  const where = PLAIN.test(project.name) && !ID.test(project.name) ? project.name : project.id;
  return ['ce', ce, verb, '--name', name, more, '--project', where].filter(Boolean).join(' ');
}
