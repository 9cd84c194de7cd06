// The figure: hover reads a moment, a click jumps there, dragging or keys zoom.

import { get, replace } from "./net.js";

const LEFT = 52;
const RIGHT = 16;
const WIDTH = 960;
const NS = "http://www.w3.org/2000/svg";
const plot = () => document.getElementById("plot");
let shown = null;
let moment = null;
let drag = null;

function momentAt(event) {
  const box = plot().querySelector("svg.figure").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * WIDTH;
  const share = Math.min(1, Math.max(0, (x - LEFT) / (WIDTH - LEFT - RIGHT)));
  const { start, end } = span();
  return Math.round(start + share * (end - start));
}

const span = () => ({ start: Number(plot().dataset.start), end: Number(plot().dataset.end) });
const whole = () => ({ start: Number(plot().dataset.wholeStart), end: Number(plot().dataset.wholeEnd) });
const place = (at) => {
  const { start, end } = span();
  return LEFT + ((at - start) / (end - start)) * (WIDTH - LEFT - RIGHT);
};

// A line at the selected entry, and a band while dragging; drawn over the figure that the server made.
function overlay(name, from, to) {
  const svg = plot() && plot().querySelector("svg.figure");
  if (!svg) return;
  svg.querySelectorAll(`.${name}`).forEach((old) => old.remove());
  if (from === null) return;
  const { start, end } = span();
  if (to < start || from > end) return;
  const mark = document.createElementNS(NS, "rect");
  const axis = svg.viewBox.baseVal.height - 34;
  mark.setAttribute("class", name);
  mark.setAttribute("x", place(Math.max(from, start)));
  mark.setAttribute("width", Math.max(1.5, place(Math.min(to, end)) - place(Math.max(from, start))));
  mark.setAttribute("y", 0);
  mark.setAttribute("height", axis);
  svg.append(mark);
}

export function cursor(at) {
  moment = at ? Number(at) : null;
  overlay("cursor", moment, moment);
}

async function zoom(start, end) {
  if (!plot()) return;
  const all = whole();
  const width = Math.min(Math.max(end - start, 20e6), all.end - all.start);
  const from = Math.max(all.start, Math.min(start, all.end - width));
  shown = { from: Math.round(from), to: Math.round(from + width) };
  return redraw();
}

// Draws the part that is shown anew, when the document or the zoom has changed.
export async function redraw() {
  const body = await get("figure", shown || {});
  replace(document.getElementById("figure"), body.html);
  cursor(moment);
  reveal();
}

// Where the figure is wider than its region, as on a phone, the outage is what is seen of it first.
export function reveal() {
  const region = document.getElementById("figure");
  const band = region.querySelector("rect.span");
  if (!band || region.scrollWidth <= region.clientWidth) return;
  const [at, here] = [band.getBoundingClientRect(), region.getBoundingClientRect()];
  region.scrollLeft += (at.left + at.right) / 2 - (here.left + here.right) / 2;
}

function scale(by) {
  if (!plot()) return;
  const { start, end } = span();
  const middle = moment && moment > start && moment < end ? moment : (start + end) / 2;
  const half = ((end - start) / 2) * by;
  return zoom(middle - half, middle + half);
}

export const plotActions = {
  "zoom-in": () => scale(0.5),
  "zoom-out": () => scale(2),
  "zoom-all": () => plot() && zoom(whole().start, whole().end),
};

export function startPlot({ jump, dot }) {
  const region = document.getElementById("figure");
  reveal();
  region.addEventListener("pointerdown", (event) => {
    if (event.target.closest("svg.figure") && event.button === 0) drag = { at: momentAt(event), x: event.clientX };
  });
  region.addEventListener("pointermove", (event) => {
    if (!drag || Math.abs(event.clientX - drag.x) < 6) return;
    const at = momentAt(event);
    overlay("band", Math.min(at, drag.at), Math.max(at, drag.at));
  });
  window.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const from = drag;
    drag = null;
    overlay("band", null, null);
    if (Math.abs(event.clientX - from.x) < 6) return jump(from.at);
    const at = momentAt(event);
    zoom(Math.min(at, from.at), Math.max(at, from.at));
  });
  region.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-ref]");
    if (mark) dot(mark.dataset.ref);
  });
  region.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !event.target.closest("svg.figure")) return;
    event.preventDefault();
    scale(event.deltaY > 0 ? 1.5 : 1 / 1.5);
  }, { passive: false });
}
