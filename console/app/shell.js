/** What stands around every screen: the bar, the account menu, and what concerns the whole page. */

import { now, session } from './api.js';
import { clock, length, soon } from './time.js';
import { ownKey } from './operations.js';
import { Item, Menu, html, useTick } from './ui.js';
import { useEffect, useState } from './vendor/preact-htm.js';

const WARNED = 5 * 60_000; // before the end of a session that cannot be renewed

/** The bar at the head: where one can go, and who one is. */
export function Bar({ screens, row, deleted, leave, help }) {
  useTick();
  const hurried = deleted.some((one) => one.deadline && soon(one.deadline, now()));
  return html`<header class="bar">
    <a class="brand" href="#/projects"><img src="/app/mark.svg" alt="" />Reprieve</a>
    <nav class="nav" aria-label="Main">${screens.map((one) => html`<a key=${one.at} href=${`#/${one.at}`}
      class=${one.wide ? 'wide-only' : ''} aria-current=${one === row ? 'page' : undefined}>${one.title}
      ${one.at === 'deleted' && deleted.length > 0 && html`<span class=${`count ${hurried ? 'red' : ''}`}>${deleted.length}<span class="hidden"> deleted</span></span>`}</a>`)}</nav>
    <div class="row"><${Account} leave=${leave} help=${help} /></div>
  </header>`;
}

function Account({ leave, help }) {
  const { self, region } = session;
  const [own, setOwn] = useState(null);
  useEffect(() => {
    const gone = new AbortController();
    ownKey({ signal: gone.signal, once: true }).then(setOwn, () => {});
    return () => gone.abort();
  }, [self?.id]);
  const link = (href, text, look = '', rest = {}) => html`<a class=${`item ${look}`} href=${href} ...${rest}>${text}</a>`;
  return html`<${Menu} label=${`${region || 'Account'} ▾, account menu`} text=${`${region || 'Account'} ▾`} look="plain">
    <dl><dt>Key</dt><dd>${own?.name || self.id}</dd><dt>Roles</dt><dd>${self.roles.join(', ')}</dd>
      <dt>Account</dt><dd class="mono">${self.account}</dd>
      <dt>For</dt><dd class=${self.project ? 'mono' : ''}>${self.project || 'all projects'}</dd></dl>
    ${link('#/keys', 'API keys', 'narrow-only')}${link('/docs', 'API reference', '', { target: '_blank', rel: 'noopener' })}
    <${Item} act=${help}>Keyboard shortcuts<//>
    <${Item} act=${() => leave('You are signed out.')}>Sign out<//><//>`;
}

/** What concerns the whole page: the host is away, its clock is moved, the session is ending. */
export function Notes() {
  useTick();
  const left = session.ends - performance.now();
  const ending = !session.renews && left < WARNED && left > 0;
  return html`${session.away && html`<div class="note amber away" role="alert"><b>Offline.</b> The host does not answer; what you see may be old. Trying again every 5 s.</div>`}
    ${session.moved !== 0 && html`<div class="note"><b>Test clock.</b> This host's clock is ${length(Math.abs(session.moved))} ${session.moved > 0 ? 'ahead' : 'behind'}. Countdowns follow the host.</div>`}
    ${ending && html`<div class="note amber" role="status">This session ends at ${clock(Date.now() + left)}. <code>ce open</code> again to go on.</div>`}`;
}
