/**
 * Lengths of real time, for what must be over in time. A clock that is set, forward or back, or that
 * stands while the machine sleeps, makes none of them longer: of both clocks the later counts, and
 * whatever shows that somebody is back has them looked at before anything else happens.
 */

const SIGNS = ['focus', 'visibilitychange', 'pageshow', 'pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart'];
const STEP = 30_000; // between two looks at most; a thirtieth of a shorter time
const waiting = new Set();

/** Look whether anything is over by now. */
export function check() {
  for (const look of [...waiting]) look();
}

for (const event of SIGNS) window.addEventListener(event, check, { capture: true, passive: true });

/** Act once a length of time is over, in milliseconds; gives what stops that. */
export function after(time, act) {
  const [at, mono] = [Date.now(), performance.now()];
  let timer = 0;
  function stop() {
    clearTimeout(timer);
    waiting.delete(look);
  }
  function look() {
    clearTimeout(timer);
    const left = time - Math.max(Date.now() - at, performance.now() - mono);
    if (left > 0) {
      timer = setTimeout(look, Math.min(left, time / 30, STEP));
      return;
    }
    stop();
    act();
  }
  waiting.add(look);
  look();
  return stop;
}
