'use strict';

// A browser opens six connections to a server, and previews hold theirs. Two are
// left for what else the page asks.
const mostPreviews = 4;
const graphLength = 120;

const cards = new Map(); // of cameras, by name
const visible = new Set(); // the cards on the screen
const note = document.getElementById('note');
const login = document.getElementById('login');
const warning = document.getElementById('warning');
let away = false; // the server did not answer last time

const watcher = new IntersectionObserver(entries => {
  for (const e of entries) {
    if (e.isIntersecting) visible.add(e.target); else visible.delete(e.target);
  }
  preview();
});

// preview streams to the cards that are seen, and to no others.
function preview() {
  let streams = 0;
  for (const section of cards.values()) {
    const img = section.querySelector('img');
    const wanted = !document.hidden && visible.has(section) && streams < mostPreviews;
    if (wanted) streams++;
    if (wanted && !img.hasAttribute('src') && !img.dataset.waiting) {
      img.src = 'preview/' + encodeURIComponent(section.dataset.camera) + '?' + Date.now();
    } else if (!wanted) {
      stopPreview(img);
    }
  }
}

// stopPreview closes the connection; without an address the browser would keep it.
function stopPreview(img) {
  if (!img.hasAttribute('src')) return;
  img.src = '';
  img.removeAttribute('src');
}

function card(name) {
  if (cards.has(name)) return cards.get(name);
  const section = document.getElementById('camera').content.cloneNode(true).firstElementChild;
  section.dataset.camera = name;
  section.querySelector('.name').textContent = name;
  const img = section.querySelector('img');
  img.alt = 'What ' + name + ' shows';
  img.addEventListener('error', () => {
    if (!img.hasAttribute('src')) return; // stopped
    img.removeAttribute('src');
    img.dataset.waiting = 'yes';
    setTimeout(() => { delete img.dataset.waiting; preview(); }, 3000);
  });
  document.getElementById('cameras').append(section);
  cards.set(name, section);
  watcher.observe(section);
  return section;
}

function line(context, values, colour, width, height, scale) {
  const most = Math.max(1, ...values) * 1.1;
  context.strokeStyle = colour;
  context.lineWidth = 2 * scale;
  context.lineJoin = 'round';
  context.beginPath();
  values.forEach((v, i) => {
    const x = width * (i + graphLength - values.length) / (graphLength - 1);
    const y = height - 4 * scale - (height - 8 * scale) * v / most;
    if (i) context.lineTo(x, y); else context.moveTo(x, y);
  });
  context.stroke();
}

function graph(canvas, samples) {
  const style = getComputedStyle(document.documentElement);
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
  canvas.width = width; // clears it, too
  canvas.height = height;
  const context = canvas.getContext('2d');
  line(context, samples.map(s => s.latency_ms), style.getPropertyValue('--latency'), width, height, scale);
  line(context, samples.map(s => s.fps), style.getPropertyValue('--rate'), width, height, scale);
}

function show(c) {
  const section = card(c.name);
  const text = (selector, value) => { section.querySelector(selector).textContent = value; };
  text('.state', c.state);
  section.querySelector('.state').className = 'state ' + c.state;
  const o = c.latest;
  const streaming = c.state === 'streaming';
  text('.away', streaming ? '' : c.state + ' since ' + new Date(c.since).toLocaleTimeString());
  text('.label', streaming && o && o.label ? o.label + ' ' + Math.round(100 * o.probability) + ' %' : '');
  text('.latency', o ? o.latency_ms.toFixed(1) + ' ms capture to label' : '');
  text('.rate', o ? o.fps.toFixed(1) + ' frames/s' : '');
  graph(section.querySelector('canvas'), c.samples);
  showHistory(section.querySelector('.history'), c.history);
}

// showHistory makes the list anew only when it is another: whoever scrolls in it stays there.
function showHistory(list, changes) {
  const last = changes.length ? changes[changes.length - 1].time + changes.length : '';
  if (list.dataset.last === last) return;
  list.dataset.last = last;
  list.replaceChildren(...changes.slice().reverse().map(h => {
    const item = document.createElement('li');
    const time = document.createElement('time');
    time.dateTime = h.time;
    time.textContent = new Date(h.time).toLocaleTimeString();
    item.append(time, h.label || 'nothing sure');
    return item;
  }));
}

async function refresh() {
  let wait = 500;
  try {
    const answer = await fetch('api/cameras');
    if (answer.status === 401) {
      login.hidden = false;
      return; // the form goes on
    }
    if (!answer.ok) throw new Error(answer.statusText);
    (await answer.json()).forEach(show);
    note.textContent = '';
    if (away) { // a stream that ended leaves its last picture behind
      away = false;
      cards.forEach(section => stopPreview(section.querySelector('img')));
    }
    preview();
  } catch (error) {
    note.textContent = 'No answer';
    away = true;
    wait = 3000;
  }
  setTimeout(refresh, wait);
}

async function machine() {
  try {
    const answer = await fetch('api/machine');
    if (answer.status === 401) return; // the form goes on
    if (answer.ok) {
      warning.textContent = (await answer.json()).warning;
      warning.hidden = !warning.textContent;
    }
  } catch (error) {
    // refresh tells it
  }
  setTimeout(machine, 5000);
}

login.addEventListener('submit', async event => {
  event.preventDefault();
  try {
    const answer = await fetch('login', { method: 'POST', body: new URLSearchParams(new FormData(login)) });
    note.textContent = answer.ok ? '' : 'The token is wrong';
    if (!answer.ok) return;
  } catch (error) {
    note.textContent = 'No answer';
    return;
  }
  login.reset();
  login.hidden = true;
  refresh();
  machine();
});

document.addEventListener('visibilitychange', preview);
refresh();
machine();
