'use strict';

const cards = new Map(); // of cameras, by name
const note = document.getElementById('note');

function card(name) {
  if (cards.has(name)) return cards.get(name);
  const section = document.getElementById('camera').content.cloneNode(true).firstElementChild;
  section.querySelector('.name').textContent = name;
  const img = section.querySelector('img');
  img.alt = 'What ' + name + ' shows';
  const load = () => { img.src = 'preview/' + encodeURIComponent(name) + '?' + Date.now(); };
  img.addEventListener('error', () => setTimeout(load, 3000));
  load();
  document.getElementById('cameras').append(section);
  cards.set(name, section);
  return section;
}

function text(section, selector, value) {
  section.querySelector(selector).textContent = value;
}

function line(context, values, most, colour, width, height) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  values.forEach((v, i) => {
    const x = width * i / 119, y = height - 4 - (height - 8) * Math.min(1, v / most);
    if (i) context.lineTo(x, y); else context.moveTo(x, y);
  });
  context.stroke();
}

function graph(canvas, samples) {
  const style = getComputedStyle(document.documentElement);
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const latency = samples.map(s => s.latency_ms), rate = samples.map(s => s.fps);
  line(context, latency, Math.max(1, ...latency) * 1.1, style.getPropertyValue('--latency'), width, height);
  line(context, rate, Math.max(1, ...rate) * 1.1, style.getPropertyValue('--rate'), width, height);
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'Latency and frame rate over the last minute');
}

function show(c) {
  const section = card(c.name);
  const state = section.querySelector('.state');
  state.textContent = c.state;
  state.className = 'state ' + c.state;
  const o = c.latest;
  text(section, '.label', o && o.label ? o.label + ' ' + Math.round(100 * o.probability) + ' %' : '');
  text(section, '.numbers', o ? o.latency_ms.toFixed(1) + ' ms from capture to label, ' + o.fps.toFixed(1) + ' frames/s' : '');
  graph(section.querySelector('canvas'), c.samples);
  section.querySelector('.history').replaceChildren(...c.history.slice().reverse().map(h => {
    const item = document.createElement('li');
    item.textContent = new Date(h.time).toLocaleTimeString() + '  ' + (h.label || '(nothing sure)');
    return item;
  }));
}

async function refresh() {
  let wait = 500;
  try {
    const answer = await fetch('api/cameras');
    if (answer.status === 401) {
      document.getElementById('login').hidden = false;
      return; // the form loads the page again
    }
    if (!answer.ok) throw new Error(answer.statusText);
    (await answer.json()).forEach(show);
    note.textContent = '';
  } catch (error) {
    note.textContent = 'No answer';
    wait = 3000;
  }
  setTimeout(refresh, wait);
}

refresh();
