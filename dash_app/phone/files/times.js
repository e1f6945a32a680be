/* The words of time and distance, as on the desk: 剩 38 分, 超 2 时 05 分, 16:48 到期, 490 米. */
import { now, page } from './page.js';

const zh = page.language === 'zh';
const clock = new Intl.DateTimeFormat('en-GB', { timeZone: page.timezone, hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat('en-CA', { timeZone: page.timezone, year: 'numeric', month: '2-digit', day: '2-digit' });
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/* The day of a moment on the city's clock, 2026-11-23. */
export function dayOf(moment) {
  return calendar.format(new Date(moment));
}

export function timeOf(moment) {
  return clock.format(new Date(moment));
}

/* The length of a time in its largest two units. */
export function spanWords(milliseconds) {
  const minutes = Math.max(0, Math.floor(milliseconds / 60000));
  if (minutes < 60) return zh ? `${minutes} 分` : `${minutes} min`;
  if (minutes < 24 * 60) {
    const hours = Math.floor(minutes / 60), rest = String(minutes % 60).padStart(2, '0');
    return zh ? `${hours} 时 ${rest} 分` : `${hours} h ${rest} min`;
  }
  const days = Math.floor(minutes / (24 * 60));
  return zh ? `${days} 天` : `${days} day${days === 1 ? '' : 's'}`;
}

export function leftWords(state, dueAt) {
  if (state === 'closed') return zh ? '已结案' : 'closed';
  if (state === 'paused') return zh ? '已暂停' : 'paused';
  if (!dueAt) return zh ? '无时限' : 'no limit';
  const left = Date.parse(dueAt) - now();
  if (left < 0) return zh ? `超 ${spanWords(-left)}` : `${spanWords(-left)} over`;
  return zh ? `剩 ${spanWords(left)}` : `${spanWords(left)} left`;
}

export function dueWords(dueAt) {
  const past = Date.parse(dueAt) < now();
  return zh ? `${momentWords(dueAt)} ${past ? '已到期' : '到期'}` : `${past ? 'was due' : 'due'} ${momentWords(dueAt)}`;
}

/* Today's moments by their time alone, others with their day. */
export function momentWords(moment) {
  const day = dayWords(moment), time = timeOf(moment);
  return day === (zh ? '今日' : 'today') ? time : `${day} ${time}`;
}

export function dayWords(moment) {
  const day = calendar.format(new Date(moment)), today = now();
  const near = { '-1': ['昨日', 'yesterday'], 0: ['今日', 'today'], 1: ['明日', 'tomorrow'] };
  for (const [away, words] of Object.entries(near)) {
    if (day === calendar.format(new Date(today + Number(away) * 86400000))) return words[zh ? 0 : 1];
  }
  const [, month, date] = day.split('-').map(Number);
  return zh ? `${month}月${date}日` : `${date} ${MONTHS[month - 1]}`;
}

export function distanceWords(metres) {
  if (metres < 1000) return zh ? `${Math.round(metres / 10) * 10} 米` : `${Math.round(metres / 10) * 10} m`;
  return zh ? `${(metres / 1000).toFixed(1)} 公里` : `${(metres / 1000).toFixed(1)} km`;
}

/* Metres between two places given as {lon, lat}; a town is flat enough for this. */
export function metresBetween(a, b) {
  const perDegree = 111320, east = (a.lon - b.lon) * perDegree * Math.cos(((a.lat + b.lat) / 2) * (Math.PI / 180));
  return Math.hypot(east, (a.lat - b.lat) * perDegree);
}
