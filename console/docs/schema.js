/**
 * What a JSON schema of the description says: its members as rows, its limits in words, and an
 * example. A reference is followed at most DEPTH deep, and never in a circle.
 */

const DEPTH = 8;
const count = (number) => number.toLocaleString('en-US');

/** Gives a schema with its references resolved; `seen` are those on the way to it. */
export function resolved(api, schema, seen = []) {
  while (schema.$ref) {
    const { $ref: at, ...beside } = schema;
    if (seen.includes(at) || seen.length >= DEPTH) return { schema: { type: 'object', ...beside, description: 'As above' }, seen };
    seen = [...seen, at];
    const target = at.slice(2).split('/').reduce((inner, part) => inner[part], api);
    schema = { ...target, ...beside };
  }
  return { schema, seen };
}

/** Gives the type of a value in a word or two. */
export function type(api, given) {
  const { schema } = resolved(api, given);
  if (schema.items) return `array of ${type(api, schema.items)}`;
  if (schema.format === 'date-time') return 'date and time';
  const fixed = 'const' in schema ? [schema.const] : schema.enum;
  const types = schema.type ?? [...new Set((fixed ?? []).map((value) => (value === null ? 'null' : typeof value)))];
  return [types].flat().join(' or ') || (schema.anyOf ?? []).map((one) => type(api, one)).join(' or ') || 'any';
}

function between(least, most, unit) {
  if (least === undefined && most === undefined) return [];
  const named = unit && ` ${most === 1 && !(least < 1) ? unit.replace(/s$/, '') : unit}`;
  if (most === undefined) return [`at least ${count(least)}${named}`];
  if (!least && unit) return [`at most ${count(most)}${named}`];
  return [least === most ? `exactly ${count(most)}${named}` : least === undefined ? `at most ${count(most)}${named}` : `${count(least)} to ${count(most)}${named}`];
}

/** Gives what a value must be, as phrases; backticks mark what is literal. */
export function limits(api, given, seen = []) {
  const { schema, seen: now } = resolved(api, given, seen);
  const said = [];
  if ('const' in schema) said.push(`always \`${schema.const}\``);
  if (schema.enum) said.push(`one of ${schema.enum.map((value) => `\`${value}\``).join(', ')}`);
  said.push(...between(schema.minimum, schema.maximum, ''), ...between(schema.minLength, schema.maxLength, 'characters'));
  said.push(...between(schema.minItems, schema.maxItems, 'items'), ...between(schema.minProperties, schema.maxProperties, 'keys'));
  if (schema['x-says']) said.push(`must ${schema['x-says']}`);
  else if (schema.pattern) said.push(`matches \`${schema.pattern}\``);
  for (const [where, inner] of [['each', schema.items], ['each key', schema.propertyNames], ['each value', schema.additionalProperties]]) {
    const within = inner && !inner.properties ? limits(api, inner, now) : [];
    if (within.length) said.push(`${where}: ${within.join(', ')}`);
  }
  if ('default' in schema) said.push(`default \`${JSON.stringify(schema.default)}\``);
  return said;
}

/** Gives a row for each member, those within members too: `data.key`, `items[].name`. */
export function members(api, given, path = '', seen = []) {
  const { schema, seen: now } = resolved(api, given, seen);
  const deeper = (inner, at) => (now.length < DEPTH ? members(api, inner, at, now) : []);
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const at = path ? `${path}.${name}` : name;
    const own = resolved(api, inner, now).schema;
    const row = { name: at, type: type(api, own), required: (schema.required ?? []).includes(name), text: own.description, limits: limits(api, inner, now) };
    return [row, ...deeper(inner, at)];
  });
  if (path && schema.items) rows.push(...deeper(schema.items, `${path}[]`));
  if (path && schema.additionalProperties?.$ref) rows.push(...deeper(schema.additionalProperties, `${path}.*`));
  return [...rows, ...(schema.anyOf ?? []).flatMap((one) => deeper(one, path))];
}

const needs = (schema, path = '') => (schema.required ?? []).flatMap((name) => {
  const within = needs(schema.properties?.[name] ?? {}, `${path}${name}.`);
  return within.length ? within : [`${path}${name}`];
});

const branches = (schema) => [schema, ...(schema.allOf ?? [])].filter((one) => one.if);
const values = (said) => said.enum ?? [said.const];
const holds = (one, body) => Object.entries(one.if.properties).every(([name, said]) => values(said).includes(body[name]));
const listed = (texts) => texts.map((text) => `\`${text}\``).join(', ');

/** Gives what is required only under a condition, a sentence each. */
export function conditions(api, given) {
  return branches(resolved(api, given).schema).map((one) => {
    const said = Object.entries(one.if.properties).map(([name, value]) => `\`${name}\` ${listed(values(value))}`);
    const otherwise = one.else ? `; else ${listed(needs(one.else))}` : '';
    return `With ${said.join(' and ')}, ${listed(needs(one.then))} must be there${otherwise}.`;
  });
}

/** Gives an example: of an object what it requires, at first or under its first condition. */
export function example(api, given, seen = []) {
  const { schema, seen: now } = resolved(api, given, seen);
  if (schema.examples) return schema.examples[0];
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.items) return schema.minItems ? [example(api, schema.items, now)] : [];
  if (!schema.properties) return { integer: schema.minimum ?? 1, boolean: true, object: {} }[[schema.type].flat()[0]] ?? 'text';
  const names = Object.keys(schema.properties);
  const make = (wanted) => Object.fromEntries(names.filter((name) => wanted.includes(name)).map((name) => [name, example(api, schema.properties[name], now)]));
  const wanted = [...(schema.required ?? names.slice(0, 1)), ...(schema.allOf?.[0].then.required ?? [])];
  const more = branches(schema).map((one) => (holds(one, make(wanted)) ? one.then : one.else));
  return make([...wanted, ...more.flatMap((one) => one?.required ?? [])]);
}
