/**
 * Draws a description of the API: its codes of errors, and its operations by their tags. All text
 * becomes text nodes: there is no way from the description to markup.
 */

import { conditions, example, limits, members, resolved, type } from './schema.js';

export const at = (id) => document.getElementById(id);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const slug = (tag) => `tag-${tag.replace(/\W+/g, '-')}`;
let api;

/** Makes an element: `on…` are listeners, children that are no nodes become text. */
export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== ''));
  return made;
}

/** Gives a text with what stands in backticks as code. */
const marked = (text = '') => text.split('`').map((part, index) => (index % 2 ? el('code', null, part) : part));

function table(caption, heads, rows) {
  return el('table', null, el('caption', { class: 'hidden' }, caption),
    el('thead', null, el('tr', null, heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', null, rows.map(([first, ...others]) => el('tr', null, el('th', { scope: 'row' }, first), others.map((cell) => el('td', null, cell))))));
}

/** Gives lines to paste, with a button that copies them where the browser can. */
function command(text, what) {
  const button = el('button', { class: 'button', type: 'button', onclick: async () => {
    await navigator.clipboard.writeText(text);
    button.firstChild.data = 'Copied';
    setTimeout(() => { button.firstChild.data = 'Copy'; }, 2000);
  } }, 'Copy', el('span', { class: 'hidden' }, ` ${what}`));
  return el('div', { class: 'paste' }, el('pre', null, el('code', null, text)), navigator.clipboard ? button : '');
}

const described = (row) => [el('p', null, marked(row.text)), row.limits.length ? el('p', { class: 'small' }, marked(row.limits.join('; '))) : ''];
const rowOf = (row) => [el('code', null, row.name), [row.type, row.required ? el('strong', null, ' required') : ''], described(row)];
const parametersOf = (spec, item) => [...(item.parameters ?? []), ...(spec.parameters ?? [])].map((one) => resolved(api, one).schema);
const contentOf = (said) => Object.values(said?.content ?? {})[0]?.schema;
const bytes = (number) => (number % 2 ** 20 ? `${number / 2 ** 10} KiB` : `${number / 2 ** 20} MiB`);
const titled = (tag) => (tag.includes('.') ? tag : tag[0].toUpperCase() + tag.slice(1));
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(path, method, spec, parameters) {
  const filled = parameters.filter((one) => one.in === 'path').reduce((made, one) => made.replace(`{${one.name}}`, encodeURIComponent(example(api, one.schema))), path);
  const query = parameters.filter((one) => one.in === 'query' && one.required).map((one) => `${one.name}=${encodeURIComponent(example(api, one.schema))}`).join('&');
  const address = location.origin + filled + (query && `?${query}`);
  const lines = [`curl ${method === 'get' || method === 'post' ? '' : `-X ${method.toUpperCase()} `}${query ? quoted(address) : address}`];
  if (spec.security?.length !== 0) lines.push('-H "Authorization: Bearer $TOKEN"');
  for (const one of parameters) if (one.in === 'header' && one.required) lines.push(`-H ${quoted(`${one.name}: ${example(api, one.schema)}`)}`);
  const kind = Object.keys(spec.requestBody?.content ?? {})[0];
  const body = kind && example(api, contentOf(spec.requestBody));
  if (kind?.endsWith('form-urlencoded')) lines.push(...Object.entries(body).map(([name, value]) => `-d ${name}=${name === 'apikey' ? '"$CODE_ENGINE_APIKEY"' : value}`));
  else if (kind) lines.push(`-H 'Content-Type: ${kind}'`, `-d ${quoted(JSON.stringify(body, null, 2).replaceAll('\n', '\n  '))}`);
  else if (method === 'post') lines[0] = lines[0].replace('curl ', 'curl -X POST ');
  return lines.join(' \\\n  ');
}

function membersOf(what, schema) {
  const rows = members(api, schema).map(rowOf);
  return rows.length ? table(`Members of ${what}`, ['Member', 'Type', 'Meaning'], rows) : el('p', { class: 'small' }, 'An object without members.');
}

function bodyOf(spec) {
  const schema = contentOf(spec.requestBody);
  if (!schema) return [];
  const kinds = Object.keys(spec.requestBody.content).join(' or ');
  const size = spec.requestBody['x-max-bytes'];
  return [el('h3', null, 'Body'), el('p', { class: 'small' }, kinds, size ? `, at most ${bytes(size)}` : ''),
    membersOf('the body', schema),
    ...conditions(api, schema).map((text) => el('p', { class: 'small' }, marked(text)))];
}

/** What a success holds is drawn when it is asked for: the same members stand in many answers. */
function answersOf(spec) {
  const all = Object.entries(spec.responses).map(([status, said]) => [status, resolved(api, said).schema]);
  const done = all.filter(([status]) => status < '400');
  const refused = all.filter(([status]) => status >= '400');
  return [el('h3', null, 'Answers'),
    table('Answers', ['Status', 'Meaning'], done.map(([status, said]) => [el('code', null, status), marked(said.description)])),
    ...done.filter(([, said]) => contentOf(said)).map(([status, said]) => {
      const more = el('details', { class: 'members', ontoggle: () => more.children.length > 1 || more.append(membersOf(status, contentOf(said))) }, el('summary', null, `Members of ${status}`));
      return more;
    }),
    el('p', { class: 'small' }, el('a', { href: '#errors' }, 'Refused'), ` with ${refused.map(([status]) => status).join(', ')}.`)];
}

function operation(path, method, spec, item) {
  const parameters = parametersOf(spec, item);
  const rows = parameters.map((one) => rowOf({ name: one.name, type: `${type(api, one.schema)}, ${one.in}`, required: one.required, text: one.description, limits: limits(api, one.schema) }));
  const made = el('details', { id: spec.operationId, class: 'operation' },
    el('summary', null, el('span', { class: `verb ${method}` }, method.toUpperCase()), el('code', null, path.split(/(?=\/)/).flatMap((part) => [el('wbr'), part])), el('span', { class: 'sub' }, marked(spec.summary))),
    el('div', { class: 'stack' },
      el('p', { class: 'facts' }, el('span', null, 'Function ', el('code', null, spec['x-function'])), el('span', null, spec['x-permission'] ? ['Permission ', el('code', null, spec['x-permission'])] : 'No token needed'), el('a', { href: `#${spec.operationId}` }, 'Link to this operation')),
      rows.length ? [el('h3', null, 'Parameters'), table('Parameters', ['Name', 'Type', 'Meaning'], rows)] : '',
      bodyOf(spec), answersOf(spec), el('h3', null, 'Example'), command(curl(path, method, spec, parameters), `the example of ${spec.operationId}`)));
  made.words = `${method} ${path} ${spec.summary} ${spec.operationId} ${spec['x-function']}`.toLowerCase();
  return made;
}

/** Draws all that a description says, into the places that the page has for it. */
export function draw(description) {
  api = description;
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const [tag] = item[method].tags;
      groups.set(tag, [...(groups.get(tag) ?? []), operation(path, method, item[method], item)]);
    }
  }
  for (const [tag, operations] of groups) {
    at('contents').append(el('li', null, el('a', { href: `#${slug(tag)}` }, titled(tag))));
    at('operations').append(el('section', { 'aria-labelledby': slug(tag) }, el('h2', { id: slug(tag), tabindex: '-1' }, titled(tag)), operations));
  }
  const key = `TOKEN=$(curl -s ${location.origin}/identity/token \\\n  -d grant_type=urn:ibm:params:oauth:grant-type:apikey \\\n  -d apikey="$CODE_ENGINE_APIKEY" | jq -r .access_token)\ncurl -H "Authorization: Bearer $TOKEN" ${location.origin}/v2/projects`;
  at('curl').append(command(key, 'the commands'));
  const error = api.components.schemas.Error.properties.errors.items.properties.code;
  at('codes').append(table('Codes of errors', ['Code', 'Status', 'When'], error['x-codes'].map((row) => [el('code', null, row.code), String(row.status), marked(row.when)])));
  at('about').textContent = api.info.description;
}
