/**
 * Times in words. What is left is rounded to 30 seconds and told without seconds; dates are the
 * reader's own, moments are the host's (api.js keeps its clock). Times are milliseconds.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WHOLE = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit',
});
const SHORT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** Give a length of time in two units at most: `6 d 19 h`, `19 h 46 min`, `46 min`. */
export function length(time) {
  const rounded = Math.round(time / 30_000) * 30_000;
  const [days, hours] = [Math.floor(rounded / DAY), Math.floor((rounded % DAY) / HOUR)];
  const minutes = Math.floor((rounded % HOUR) / MINUTE);
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : 'under a minute';
}

/** Say how long ago a moment was. */
export function ago(moment, now) {
  return now - moment < MINUTE ? 'just now' : `${length(now - moment)} ago`;
}

/** Give a moment as `Sun 13 Dec 2026 03:09`. */
export const whole = (moment) => WHOLE.format(moment).replaceAll(',', '');

/** Give a moment's day as `13 Dec`. */
export const short = (moment) => SHORT.format(moment);

/** Give a moment's time of day as `08:14`. */
export const clock = (moment) => CLOCK.format(moment);

/** True for what ends within a day. */
export const soon = (deadline, now) => deadline - now < DAY;
