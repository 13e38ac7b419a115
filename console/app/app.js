/**
 * The page: which screen stands at which address, what stands around it, and what happens to a
 * session that is not used. Screens whose server side is still to come have their row below and
 * neither a link nor a page.
 */

import { forget, listen, session } from './api.js';
import { clear, load, state, useProjects } from './data.js';
import { Toasts, settle, toast } from './change.js';
import { keepFocus } from './focus.js';
import { Help, keys } from './keyboard.js';
import { after, check } from './lapse.js';
import * as route from './route.js';
import { Bar, Notes } from './shell.js';
import { html } from './ui.js';
import { Deleted } from './views/deleted.js';
import { Keys } from './views/keys.js';
import { Project } from './views/project.js';
import { Projects } from './views/projects.js';
import { SignIn } from './views/signin.js';
import { render, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact-htm.js';

/** In the order of the navigation: `key` follows `g`. */
const SCREENS = [
  { at: 'projects', title: 'Projects', key: 'p', screen: Projects, below: Project, one: 'Project' },
  { at: 'deleted', title: 'Deleted', key: 'd', screen: Deleted },
  { at: 'destroyed', title: 'Destroyed', key: 'x' },
  { at: 'activity', title: 'Activity', key: 'a' },
  { at: 'keys', title: 'API keys', key: 'k', screen: Keys, wide: true },
];
const IDLE = 15 * 60_000;

const Nowhere = () => html`<h1 tabindex="-1">No such page</h1><p>Nothing is at this address. <a href="#/projects">Projects</a></p>`;

function found({ segments }) {
  const row = SCREENS.find((one) => one.screen && one.at === (segments[0] || 'projects'));
  if (!row) return { title: 'No such page', Screen: Nowhere };
  if (segments.length < 2) return { title: row.title, Screen: row.screen, row };
  return row.below ? { title: row.one, Screen: row.below, row } : { title: 'No such page', Screen: Nowhere };
}

/** A session that nobody uses, or that the browser puts aside, is forgotten with all it showed. */
function guard() {
  let stop = () => {};
  function used() {
    check();
    stop();
    stop = after(IDLE, () => {
      leave('Locked after 15 minutes without use.');
      used();
    });
  }
  for (const event of ['keydown', 'pointerdown', 'wheel', 'touchstart']) window.addEventListener(event, used, { capture: true, passive: true });
  used();
  window.addEventListener('pagehide', () => leave());
  window.addEventListener('pageshow', (event) => event.persisted && leave());
}

let left = 0; // times that all was forgotten: a key that was typed goes too

function leave(why = '') {
  left += 1;
  forget(session.signed ? why : session.why);
  clear();
  settle();
}

function App() {
  const { rows } = useProjects();
  const [, draw] = useState(0);
  const [help, setHelp] = useState(false);
  const main = useRef();
  const { title, Screen, row } = found(route.place);
  const address = route.place.segments.join('/');
  const who = session.self && `${session.self.account} ${session.self.id}`;
  useEffect(() => route.listen((coded) => {
    if (coded && session.signed && !session.ended && route.takeCode()) toast('You are signed in already. Sign out first.');
    draw((count) => count + 1);
  }), []);
  useEffect(() => {
    if (session.signed) return keys(SCREENS.filter((one) => one.screen), () => setHelp(true));
    setHelp(false);
    return undefined;
  }, [session.signed]);
  useEffect(() => { if (session.signed && !session.ended) load(); }, [session.signed, session.ended, who]);
  useLayoutEffect(() => { document.title = `${session.signed ? title : 'Sign in'} · Reprieve`; }, [title, session.signed]);
  useLayoutEffect(() => { if (session.signed) main.current?.focus(); }, [address, session.signed, who]);
  if (!session.signed) return html`<${SignIn} key=${left} /><${Toasts} />`;
  const deleted = (rows || []).filter((one) => state(one) !== 'active');
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.focus(); }}>Skip to the content</a>
    <${Bar} screens=${SCREENS.filter((one) => one.screen)} row=${row} deleted=${deleted} leave=${leave} help=${() => setHelp(true)} />
    <main class="page" id="main" tabindex="-1" ref=${main} key=${who}><${Notes} /><${Screen} key=${route.place.segments.slice(0, 2).join('/')} place=${route.place} /></main>
    ${help && html`<${Help} screens=${SCREENS.filter((one) => one.screen)} close=${() => setHelp(false)} />`}
    ${session.ended && html`<${SignIn} over=${true} />`}
    <${Toasts} />`;
}

let who = null;
listen(() => { // what one person read is not shown to another
  if (who === session.self) return;
  if (who && !(session.self && session.self.account === who.account && session.self.id === who.id)) {
    clear();
    settle();
  }
  who = session.self;
});
guard();
keepFocus();
render(html`<${App} />`, document.body);
