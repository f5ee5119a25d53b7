// The live part of a page: when the server says that something changed, the page is asked for again and its part
// `#live` replaced. Without this script the page works the same; a person reloads it.
const live = () => document.getElementById('live');
const announce = (text) => { document.getElementById('announce').textContent = text; };

// As `left` of templates.py says it.
const words = (seconds) => {
  if (seconds < 60) return 'less than a minute';
  const whole = Math.floor(seconds);
  const units = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  const [size, word] = units.find(([size]) => whole >= 2 * size || whole === size);
  const number = Math.floor(whole / size);
  return `${number} ${word}${number === 1 ? '' : 's'}`;
};

const tick = () => {
  for (const element of document.querySelectorAll('[data-expires]')) {
    const left = Math.max(0, Number(element.dataset.expires) - Date.now() / 1000);
    if (element.localName === 'progress') element.value = left;
    else element.textContent = left > 0 ? `${words(left)} left` : 'expired';
  }
};

const refresh = async () => {
  const answer = await fetch(location.pathname, { credentials: 'same-origin', cache: 'no-store' });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const [old, next] = [live(), fresh.getElementById('live')];
  if (!next || next.dataset.state === old.dataset.state) return;
  const more = Number(next.dataset.waiting) - Number(old.dataset.waiting);
  const focused = document.activeElement?.getAttribute('href');
  old.replaceWith(document.adoptNode(next));
  if (focused) live().querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  document.title = fresh.title;
  // What a person is typing stays. That the call was answered elsewhere stands in the part that is replaced.
  if ('keep' in next.dataset) announce('This call was answered, or has ended.');
  else if (more > 0) announce(more === 1 ? 'One more call waits.' : `${more} more calls wait.`);
  else announce('The list has changed.');
  tick();
};

if (live()?.dataset.events) {
  const events = new EventSource(live().dataset.events);
  events.addEventListener('changed', () => { refresh().catch(() => {}); });
  setInterval(tick, 5000);
}
