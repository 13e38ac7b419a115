/** Add a secret or a config map: fields by format, keys and values in rows, or a `.env` file. */

import { toast, useChange } from '../change.js';
import { fault, parse } from '../envfile.js';
import { KINDS, command } from '../kinds.js';
import { createResource } from '../operations.js';
import { length, quote } from '../text.js';
import { Chips, Command, Dialog, Field, Lost, Name, Trouble, html, words } from '../ui.js';
import { FORMATS, members } from './formats.js';
import { Seen, ValueField } from './values.js';
import { useEffect, useState } from '../vendor/preact-htm.js';

const WAYS = { rows: 'Key by key', env: 'From a .env file' };
const begins = Object.fromEntries(Object.values(FORMATS).flatMap((form) => form.fields || []).filter((one) => one.begins).map((one) => [one.at, one.begins]));
let rows = 0;
const blank = () => ({ id: (rows += 1), key: '', value: '' });

function Rows({ given, set, seen, wrong }) {
  const change = (id, part) => set(given.map((row) => (row.id === id ? { ...row, ...part } : row)));
  const many = given.length > 1;
  return html`${given.map((row, index) => html`<fieldset class="pair" key=${row.id}><legend class="hidden">Key ${index + 1}</legend>
      <${Field} label="Key" look="mono" value=${row.key} wrong=${wrong[row.id]} autocapitalize="off" onInput=${(event) => change(row.id, { key: event.target.value })} />
      <${ValueField} label="Value" area=${true} rows="1" seen=${seen} value=${row.value} wrong=${wrong[`data.${row.key}`]} set=${(value) => change(row.id, { value })} />
      ${many && html`<div><button type="button" class="button plain" onClick=${() => set(given.filter((one) => one !== row))}>Remove<span class="hidden"> key ${index + 1}</span></button></div>`}</fieldset>`)}
    <div><button type="button" class="button" onClick=${() => set([...given, blank()])}>Add a row</button></div>`;
}

function EnvFile({ text, set, seen, wrong }) {
  const { rows: found, faults } = parse(text);
  return html`<${ValueField} label="Lines of KEY=VALUE" area=${true} file=${true} seen=${seen} told=${false} value=${text} set=${set} wrong=${wrong}
      hint="Values are taken as they are, quotes included. Blank lines and lines that begin with # are skipped." />
    ${faults.length > 0 && html`<ul class="wrong">${faults.slice(0, 20).map((one) => html`<li key=${one.line}>Line ${one.line} ${one.says}.</li>`)}</ul>`}
    ${found.length > 0 && html`<table><caption>To be stored: ${found.length === 1 ? 'one key' : `${found.length} keys`}</caption>
      <thead><tr><th scope="col">Key</th><th scope="col">Value</th></tr></thead>
      <tbody>${found.map((row) => html`<tr key=${row.key}><th scope="row" class="mono"><${Name} of=${row.key} /></th><td class="small">${row.value ? length(row.value) : 'empty'}${row.note && `; ${row.note}`}</td></tr>`)}</tbody></table>`}`;
}

/** Give `{data}` of rows or of a file, or `{wrong}`: by the row's id or by its name in the form. */
function own(way, given, env) {
  const wrong = {};
  if (way === 'env') {
    const { rows: found, faults } = parse(env);
    if (faults.length || !found.length) wrong.env = faults.length ? 'Some lines cannot be read; nothing is sent.' : 'There is no line of KEY=VALUE.';
    return { wrong, data: Object.fromEntries(found.map((row) => [row.key, row.value])) };
  }
  const used = given.filter((row) => row.key || row.value);
  const seen = new Set();
  for (const row of used) {
    const said = fault(row.key) || (seen.has(row.key) ? 'this key is given twice' : '');
    if (said) wrong[row.id] = `${said[0].toUpperCase()}${said.slice(1)}.`;
    seen.add(row.key);
  }
  if (!used.length) wrong[given[0].id] = 'Give at least one key.';
  return { wrong, data: Object.fromEntries(used.map((row) => [row.key, row.value])) };
}

function missing(format, given) {
  const found = FORMATS[format].fields.filter((one) => one.needed && !(given[one.at] || '').trim());
  return Object.fromEntries(found.map((one) => [one.at, 'This must not be empty.']));
}

/** The dialog. Whatever was typed stays, also when another format is chosen and then the first again. */
export function Add({ project, kind, close, done }) {
  const secret = kind === 'secrets';
  const [format, setFormat] = useState('generic');
  const [name, setName] = useState('');
  const [given, give] = useState(begins);
  const [pairs, setPairs] = useState(() => [blank()]);
  const [way, setWay] = useState('rows');
  const [env, setEnv] = useState('');
  const [seen, see] = useState(!secret);
  const [wrong, setWrong] = useState({});
  const { one } = KINDS[kind];
  const form = FORMATS[format];
  const { busy, problem, send, clear } = useChange(async (body, again) => {
    await createResource(project.id, kind, body, again);
    close();
    toast(`${quote(body.name)} is added.`);
    await done();
  });
  const says = { ...wrong, ...(problem?.field && { [problem.field]: words(problem) }) };
  const fields = ['name', ...(form.fields ? form.fields.map((field) => field.at) : pairs.map((row) => `data.${row.key}`))];
  const placed = fields.includes(problem?.field);
  function submit() {
    const { wrong: faults, data } = form.fields ? { wrong: missing(format, given) } : own(way, pairs, env);
    if (!name) faults.name = 'This must not be empty.';
    setWrong(faults);
    clear();
    if (Object.keys(faults).length) return;
    const body = form.fields ? members(format, given) : { data };
    send({ ...(secret && { format }), name, ...body });
  }
  useEffect(() => { document.querySelector('dialog[open] [aria-invalid=true]')?.focus(); }, [wrong, problem]);
  const line = form.ce && command(project, kind, 'create', name || 'NAME', secret ? form.ce : '--from-env-file FILE');
  return html`<${Dialog} title=${`Add a ${one}`} close=${close} busy=${busy} submit=${submit}>
    ${secret && html`<div class="field"><label for="format">Format</label><select id="format" class="input" value=${format} onChange=${(event) => { setFormat(event.target.value); setWrong({}); clear(); }}>
      ${Object.entries(FORMATS).map(([value, { title, says: more }]) => html`<option key=${value} value=${value}>${title}${more && `: ${more}`}</option>`)}</select></div>`}
    <${Field} label="Name" first=${true} value=${name} wrong=${says.name} autocapitalize="off" onInput=${(event) => setName(event.target.value)}
      hint="1 to 253 lower-case letters, digits, - and . with a letter or digit at both ends and beside each dot. It cannot be changed later." />
    ${form.fields ? form.fields.map((field) => html`<${ValueField} key=${`${format} ${field.at}`} label=${field.needed ? field.label : `${field.label} (optional)`} hint=${field.hint} area=${field.area} file=${field.file}
        seen=${seen || !field.secret} value=${given[field.at] || ''} set=${(value) => give({ ...given, [field.at]: value })} wrong=${says[field.at]} />`)
      : html`<${Chips} label="How" choices=${WAYS} chosen=${way} choose=${setWay} />
        ${way === 'rows' ? html`<${Rows} given=${pairs} set=${setPairs} seen=${seen} wrong=${says} />` : html`<${EnvFile} text=${env} set=${setEnv} seen=${seen} wrong=${says.env} />`}`}
    ${secret && !(form.service) && html`<${Seen} seen=${seen} see=${see} />`}<${Lost} project=${project} />
    <${Trouble} problem=${placed ? null : problem} retry=${problem?.status === 0 ? submit : null} />${line && html`<${Command} line=${line} />`}
    <div class="row end"><button type="button" class="button" data-close>Cancel</button><button class="button primary" aria-busy=${String(busy)}>Add ${one}</button></div><//>`;
}
