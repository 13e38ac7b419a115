/**
 * `.env` files, by the grammar of `ce secret create --from-env-file`: KEY=VALUE a line, values as
 * they are; blank lines and lines that begin with # are skipped. A fault tells its line, no value.
 */

const KEY = /^[A-Za-z0-9_.-]{1,253}$/;
const RULE = 'letters, digits, - _ . (at most 253)';

/** Say what is wrong with a key; empty if nothing is. */
export function fault(key) {
  if (!key) return 'the key is missing';
  if (key === '.' || key === '..') return '“.” and “..” are no keys';
  return KEY.test(key) ? '' : `keys hold ${RULE}`;
}

function wrong(line, key) {
  if (!line.includes('=')) return 'is not of the form KEY=VALUE';
  if (/^export\s/.test(key)) return 'begins with “export”: leave it out';
  const said = fault(key);
  return said && `has no good key: ${said}`;
}

/** Give `{rows: [{line, key, value, note}], faults: [{line, says}]}`; a key is given once. */
export function parse(text) {
  const rows = new Map();
  const faults = [];
  text.replace(/^\ufeff/, '').split('\n').forEach((raw, index) => {
    const line = raw.replace(/\r$/, '');
    if (!line.trim() || line.startsWith('#')) return;
    const [key] = line.split('=', 1);
    const says = wrong(line, key) || (rows.has(key) && `gives “${key}” again, after line ${rows.get(key).line}`);
    if (says) {
      faults.push({ line: index + 1, says });
      return;
    }
    const value = line.slice(key.length + 1);
    rows.set(key, { line: index + 1, key, value, note: /^(["']).*\1$/.test(value) ? 'its quotes are kept' : '' });
  });
  return { rows: [...rows.values()], faults };
}
