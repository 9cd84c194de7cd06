// The log beside the document: lines of all sources around a moment, searched and filtered, one at a time by key.

import { get, say, Refusal } from "./net.js";
import { showLine } from "./forms.js";

const place = () => document.getElementById("log");
const lines = () => [...document.querySelectorAll("#log .line")];
const form = () => document.getElementById("filter");
let asked = {};
let turn = 0;
let waiting = 0;

function filters() {
  const data = new FormData(form());
  return {
    q: data.get("q"), level: data.get("level"), source: data.get("source"), service: data.get("service"),
    all: data.get("all") ? "1" : "",
  };
}

// The last request wins: fast steps through the entries do not pile up.
export function loadLog(what, { focus = false, keep = "" } = {}) {
  if (!("first" in what)) asked = what;
  clearTimeout(waiting);
  return new Promise((done) => {
    waiting = setTimeout(async () => {
      const mine = ++turn;
      place().setAttribute("aria-busy", "true");
      try {
        const body = await get("log", { ref: asked.ref, moment: asked.moment, first: what.first, ...filters() });
        if (mine === turn) show(body, { focus, keep });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (mine === turn) failed(error.message);
      } finally {
        if (mine === turn) place().removeAttribute("aria-busy");
        done();
      }
    }, 90);
  });
}

function failed(words) {
  say(words, true);
  if (!lines().length) place().replaceChildren(Object.assign(document.createElement("p"), { className: "notice", textContent: words }));
}

function show(body, { focus, keep }) {
  const inside = logActions.inside();
  place().innerHTML = body.html;
  options("f-source", "all sources", body.sources);
  options("f-service", "all services", body.services);
  const all = lines();
  const aim = keep === "top" ? all[Math.min(99, all.length - 1)] : keep === "bottom" ? all[0] : target(all);
  if (!aim) return;
  mark(aim);
  aim.scrollIntoView({ block: keep === "bottom" ? "start" : "center" });
  if (focus || inside) aim.focus({ preventScroll: true });
}

function target(all) {
  const cited = asked.cite && all.find((one) => [...one.querySelectorAll(".cited")].some((tag) => tag.textContent === `E${asked.cite}`));
  const here = cited || all.find((one) => one.classList.contains("here"));
  if (here) return here;
  const moment = Number(asked.moment || current());
  return all.find((one) => Number(one.dataset.moment) >= moment) || all[all.length - 1];
}

const current = () => {
  const entry = document.querySelector("#entries .entry[aria-current]");
  return entry ? entry.dataset.moment : 0;
};

function options(id, none, names) {
  const select = document.getElementById(id);
  const chosen = select.value;
  const wanted = [["", none], ...names.map((name) => [name, name])];
  if (select.options.length === wanted.length || (!names.length && select.options.length > 1)) return;
  select.replaceChildren(...wanted.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

function mark(line) {
  for (const one of lines()) {
    one.tabIndex = one === line ? 0 : -1;
    one.toggleAttribute("aria-current", one === line);
  }
}

const chosen = () => lines().find((one) => one.hasAttribute("aria-current")) || lines()[0] || null;

export const logActions = {
  inside: () => Boolean(document.activeElement && document.activeElement.closest("#log")),
  current: chosen,
  enter: () => {
    const line = chosen();
    if (line) line.focus();
    else place().focus();
  },
  move: (by) => {
    const all = lines();
    const line = all[all.indexOf(chosen()) + by];
    if (line) {
      mark(line);
      line.focus({ preventScroll: true });
      line.scrollIntoView({ block: "nearest" });
    } else {
      const more = place().querySelector(`.more[data-keep="${by > 0 ? "bottom" : "top"}"]`);
      if (more) further(more, true);
    }
  },
  promote: (send) => {
    const line = chosen();
    if (!line) return say("There is no log line to promote.");
    return send({ file: line.dataset.file, line: Number(line.dataset.line) });
  },
  whole: async () => {
    const line = chosen();
    if (!line) return;
    try {
      showLine(await get("line", { file: line.dataset.file, line: line.dataset.line }), line);
    } catch (error) {
      say(error.message, true);
    }
  },
  clear: () => {
    const field = document.getElementById("f-q");
    if (!field.value) return;
    field.value = "";
    loadLog(asked);
  },
  toggle: () => {
    const box = document.getElementById("f-all");
    box.checked = !box.checked;
    loadLog(asked, { focus: logActions.inside() });
  },
};

function further(button, focus) {
  loadLog({ first: button.dataset.first }, { keep: button.dataset.keep, focus });
}

export function startLog() {
  let typing = 0;
  form().addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => loadLog(asked), event.target.name === "q" ? 200 : 0);
  });
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    loadLog(asked, { focus: true });
  });
  place().addEventListener("click", (event) => {
    const more = event.target.closest(".more");
    if (more) return further(more, true);
    const line = event.target.closest(".line");
    if (line && !String(window.getSelection())) {
      mark(line);
      line.focus({ preventScroll: true });
    }
  });
  place().addEventListener("dblclick", (event) => event.target.closest(".line") && logActions.whole());
}
