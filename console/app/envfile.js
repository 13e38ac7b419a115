/**
 * `.env` files, by the grammar of `ce secret create --from-env-file`: KEY=VALUE a line, values as
 * they are; blank lines and lines that begin with # are skipped. A fault tells its line, no value.
 */

const KEY = /^[A-Za-z0-9_.-]{1,253}$/;
export const RULE = 'letters, digits, - _ . (at most 253)';

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

/** Give `{rows: [{line, key, value, note}], faults: [{line, says}]}`; of a key the last counts. */
export function parse(text) {
  const rows = new Map();
  const faults = [];
  text.replace(/^\ufeff/, '').split('\n').forEach((raw, index) => {
    const line = raw.replace(/\r$/, '');
    if (!line.trim() || line.startsWith('#')) return;
    const [key] = line.split('=', 1);
    const says = wrong(line, key);
    if (says) {
      faults.push({ line: index + 1, says });
      return;
    }
    const value = line.slice(key.length + 1);
    const notes = [/^(["']).*\1$/.test(value) && 'its quotes are kept', rows.has(key) && `replaces line ${rows.get(key).line}`];
    rows.set(key, { line: index + 1, key, value, note: notes.filter(Boolean).join('; ') });
  });
  return { rows: [...rows.values()], faults };
}
