/**
 * The formats of secrets, as the API has them: their plain names, and the fields of each, required
 * ones first. `at` is where a field stands in the body, and what a refusal points at.
 */

const text = (at, label, more) => ({ at, label, ...more });
const unseen = (at, label, more) => ({ at, label, secret: true, ...more });
const lines = (at, label, more) => ({ at, label, secret: true, area: true, file: true, ...more });

export const FORMATS = {
  generic: { title: 'Generic', says: 'keys of your own', ce: '--from-env-file FILE' },
  basic_auth: {
    title: 'User name and password', ce: '--format basic_auth --username NAME',
    fields: [text('data.username', 'User name', { needed: true }), unseen('data.password', 'Password', { needed: true })],
  },
  ssh_auth: {
    title: 'SSH key', ce: '--format ssh --key-path FILE',
    fields: [lines('data.ssh_key', 'Private key', { needed: true }), lines('data.known_hosts', 'Known hosts', { secret: false })],
  },
  tls: {
    title: 'TLS certificate', ce: '--format tls --cert-chain-file FILE --private-key-file FILE',
    fields: [
      lines('data.tls_cert', 'Certificate chain', { needed: true, secret: false, hint: 'PEM: the certificate first, then those that signed it.' }),
      lines('data.tls_key', 'Private key', { needed: true }),
    ],
  },
  registry: {
    title: 'Image registry', ce: '--format registry --server HOST --username NAME',
    fields: [
      text('data.server', 'Server', { needed: true, begins: 'us.icr.io', hint: 'The host alone: us.icr.io, docker.io.' }),
      text('data.username', 'User name', { needed: true, hint: 'For icr.io with an API key: iamapikey.' }),
      unseen('data.password', 'Password or API key', { needed: true }),
      text('data.email', 'Email'),
    ],
  },
  hmac_auth: {
    title: 'HMAC keys', says: 'of object storage', ce: '--format hmac --access-key-id-prompt --secret-access-key-prompt',
    fields: [text('data.access_key_id', 'Access key ID', { needed: true }), unseen('data.secret_access_key', 'Secret access key', { needed: true })],
  },
  service_access: {
    title: 'Service access', says: 'of a service instance', service: true,
    fields: [
      text('service_access.service_instance.id', 'Service instance ID', { needed: true }),
      text('service_access.resource_key.id', 'Resource key ID'),
      text('service_access.role.crn', 'Role (CRN)', { hint: 'Without one: Writer.' }),
      text('service_access.serviceid.id', 'Service ID', { hint: 'ServiceId-…' }),
    ],
  },
  service_operator: {
    title: 'Service operator', service: true,
    fields: [
      text('service_operator.resource_group_ids', 'Resource group IDs', { list: true, hint: 'With blanks between them.' }),
      text('service_operator.serviceid.id', 'Service ID', { hint: 'ServiceId-…' }),
    ],
  },
};

/** Give the keys that a secret of a format must have. */
export function needs(format) {
  const found = (FORMATS[format]?.fields || []).filter((one) => one.needed);
  return found.map((one) => one.at.replace(/^data\./, ''));
}

/** Build the members of a body from what is in the fields; what is empty and not needed is left out. */
export function members(format, given) {
  const body = FORMATS[format].service ? { [format]: {} } : { data: {} };
  for (const { at, needed, list } of FORMATS[format].fields) {
    const value = given[at] ?? '';
    if (value === '' && !needed) continue;
    const path = at.split('.');
    let inner = body;
    for (const step of path.slice(0, -1)) inner = inner[step] ||= {};
    inner[path.at(-1)] = list ? value.split(/[\s,]+/).filter(Boolean) : value;
  }
  return body;
}
