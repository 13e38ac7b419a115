/**
 * What each role may do, as the server has it (shared/access/roles.py): a test holds the two
 * equal. It greys out what would be refused; the server decides.
 */

const EDITOR = ['project.view', 'project.manage', 'project.create'];
export const ROLES = {
  administrator: [...EDITOR, 'project.purge', 'apikey.view', 'apikey.manage', 'audit.view'],
  editor: EDITOR,
  operator: ['project.view'],
  viewer: ['project.view'],
  purge: ['project.purge'],
  manager: ['entity.view', 'entity.manage', 'entity.list'],
  writer: ['entity.view', 'entity.manage', 'entity.list'],
  reader: ['entity.view', 'entity.list'],
  auditor: ['project.view', 'entity.list', 'audit.view'],
};

/** What a person may choose for a new key, each with its sentence. */
export const SENTENCES = {
  administrator: 'Everything of projects, destroying them now, and API keys.',
  editor: 'Create, look at, delete and restore projects.',
  operator: 'Look at projects.',
  viewer: 'Look at projects.',
  purge: 'Destroy a deleted project before its deadline, and nothing else.',
  manager: 'Read, list, add, change and delete what projects hold.',
  writer: 'Read, list, add, change and delete what projects hold.',
  reader: 'Read and list what projects hold, values of secrets included.',
  auditor: 'Look at projects, list what they hold and read the audit trail, never a value.',
};

const ACCOUNT_WIDE = ['project.create', 'apikey.view', 'apikey.manage'];

/** True if roles allow a verb; a key for one project may not do what concerns an account. */
export function allows(roles, project, verb) {
  if (project && ACCOUNT_WIDE.includes(verb)) return false;
  return roles.some((role) => ROLES[role]?.includes(verb));
}

/** The roles that a key may give to another: those whose verbs it has, all of them. */
export function gives(roles) {
  const own = new Set(roles.flatMap((role) => ROLES[role] || []));
  return Object.keys(SENTENCES).filter((role) => ROLES[role].every((verb) => own.has(verb)));
}
