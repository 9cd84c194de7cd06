// Talks to the server, and puts what it answers on the page without disturbing what is being typed.

const base = new URL("./", document.baseURI);
let seen = document.body.dataset.seen;
const shown = new Map();
const listeners = [];

export class Refusal extends Error {
  constructor(status, body) {
    super(body.error || "The server did not answer as expected.");
    this.status = status;
    this.current = body.current;
  }
}

async function answered(response) {
  if (response.status === 204) return null;
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, body);
  return body;
}

async function ask(url, options) {
  try {
    return await answered(await fetch(url, { credentials: "same-origin", ...options }));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(0, { error: "retrolog no longer answers; is it still running in the terminal?" });
  }
}

export function get(path, params = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  return ask(url, {});
}

// Changes queue up: each sees the document that the one before it left. `args` may be a function, asked when its turn comes.
let queue = Promise.resolve();

export function post(op, args = {}) {
  const turn = queue.then(async () => {
    const values = typeof args === "function" ? args() : args;
    document.body.classList.add("busy");
    try {
      const body = await ask(new URL("edit", base), {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Retrolog": "1" },
        body: JSON.stringify({ op, args: values }),
      });
      show(body);
      return body;
    } finally {
      document.body.classList.remove("busy");
    }
  });
  queue = turn.catch(() => {});
  return turn;
}

// What the file holds now; waits for changes on their way, which would else look like an editor's.
export function refresh(always = false) {
  const turn = queue.then(async () => {
    const body = await get("state", always ? {} : { seen });
    if (body) show(body);
    return body !== null;
  });
  queue = turn.catch(() => {});
  return turn;
}

export function onShow(listener) {
  listeners.push(listener);
}

function show(body) {
  seen = body.seen;
  for (const [name, html] of Object.entries(body.regions)) {
    const region = document.getElementById(name);
    if (shown.get(name) !== html && !same(region, html)) replace(region, html);
    shown.set(name, html);
  }
  listeners.forEach((listener) => listener());
}

function same(region, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  return fresh.innerHTML === region.innerHTML;
}

// Taking a field with the focus off the page makes browsers say that it was left; it was not.
let replacing = false;

export const isReplacing = () => replacing;

// Fields that hold unsaved words keep them, and the one with the focus keeps it. Where the file changed the very words that
// are being edited, the part keeps the mark of what was shown, so that saving asks instead of overwriting.
export function replace(region, html) {
  const unsaved = new Map();
  for (const field of region.querySelectorAll("input[id], textarea[id]")) {
    if (field.value === field.defaultValue) continue;
    const part = field.closest("[data-mark]");
    unsaved.set(field.id, { value: field.value, was: field.defaultValue, mark: part && part.dataset.mark });
  }
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && { id: focused.id, start: focused.selectionStart, end: focused.selectionEnd };
  replacing = true;
  region.innerHTML = html;
  replacing = false;
  for (const [id, { value, was, mark }] of unsaved) {
    const field = document.getElementById(id);
    if (!field) continue;
    const part = field.closest("[data-mark]");
    if (part && field.defaultValue !== was) part.dataset.mark = mark;
    field.value = value;
  }
  if (!place || !place.id) return;
  const again = document.getElementById(place.id);
  if (!again) return;
  again.focus({ preventScroll: true });
  if (typeof place.start === "number" && again.setSelectionRange) {
    try {
      again.setSelectionRange(place.start, place.end);
    } catch {
      // some kinds of input have no selection
    }
  }
}

// A field that is being saved counts as unchanged; what is answered makes it changed again, when saving failed.
export function saved(...fields) {
  const before = fields.map((field) => [field, field.defaultValue]);
  for (const field of fields) field.defaultValue = field.value;
  return () => before.forEach(([field, value]) => (field.defaultValue = value));
}

let timer = 0;

export function say(words, bad = false) {
  const place = document.getElementById("said");
  place.textContent = words;
  place.classList.toggle("bad", bad);
  place.classList.add("on");
  clearTimeout(timer);
  timer = setTimeout(() => place.classList.remove("on"), bad ? 9000 : 3000);
}
