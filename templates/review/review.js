// Ties the page together: the selected entry, what can be done to it, and news from the file.

import { get, onShow, post, refresh, saved, say, Refusal } from "./net.js";
import { loadLog, logActions, startLog } from "./log.js";
import { startPlot, plotActions, cursor, redraw } from "./plot.js";
import { startForms, editEntry, clash, help } from "./forms.js";
import { startKeys } from "./keys.js";

const entries = () => [...document.querySelectorAll("#entries .entry")];
let chosen = { ref: null, at: 0 };
let before = new Set();

export function current() {
  const all = entries();
  return all.find((one) => one.dataset.ref === chosen.ref) || all[Math.min(chosen.at, all.length - 1)] || null;
}

export function choose(entry, { focus = true, log = true, scroll = focus } = {}) {
  const all = entries();
  if (!entry) return;
  for (const one of all) {
    one.tabIndex = one === entry ? 0 : -1;
    one.toggleAttribute("aria-current", one === entry);
  }
  const same = chosen.ref === entry.dataset.ref;
  chosen = { ref: entry.dataset.ref, at: all.indexOf(entry) };
  if (focus) entry.focus({ preventScroll: true });
  if (scroll) entry.scrollIntoView({ block: "nearest" });
  cursor(entry.dataset.moment);
  if (log && !same) loadLog({ ref: entry.dataset.ref });
}

function move(by) {
  const all = entries();
  const now = document.activeElement && document.activeElement.closest(".entry");
  const at = all.indexOf(now || current());
  const inside = document.activeElement && document.activeElement.closest("#entries");
  choose(all[Math.max(0, Math.min(all.length - 1, inside ? at + by : at))]);
}

async function change(op, args, mine = "") {
  before = new Set(entries().map((one) => one.dataset.ref));
  const old = chosen.ref;
  try {
    const body = await post(op, args);
    if (body.said) say(body.said);
    const fresh = entries().filter((one) => !before.has(one.dataset.ref));
    if (fresh.length === 1) choose(fresh[0], { focus: inEntries() });
    else if (old !== null && current() && current().dataset.ref !== old) choose(current(), { focus: inEntries() });
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await refresh(true).catch(() => {});
    if (error.current && mine) {
      const values = typeof args === "function" ? args() : args;
      const part = values.ref ? `[data-mark][data-ref="${CSS.escape(values.ref)}"]` : `tr[data-row="${values.row}"]`;
      clash(error.current, mine, () => {
        const now = document.querySelector(part);
        if (now) change(op, { ...values, mark: now.dataset.mark }, mine);
      });
    } else say(error.message, true);
    return false;
  }
}

const inEntries = () => {
  const at = document.activeElement;
  return !at || at === document.body || Boolean(at.closest("#entries"));
};

const named = (entry) => ({ ref: entry.dataset.ref, mark: entry.dataset.mark });

// Keeping goes on to the next entry that nobody has looked at, from the top again after the last.
async function keep(entry) {
  if (entry.dataset.own === undefined) {
    const on = entry.dataset.kept === undefined;
    if (!(await change("keep", { ...named(entry), on })) || !on) return;
  } else say("An entry of your own is kept as it is.");
  const all = entries();
  const at = all.findIndex((one) => one.dataset.ref === entry.dataset.ref) + 1;
  const next = [...all.slice(at), ...all.slice(0, at)].find((one) => !one.classList.contains("done"));
  if (next) choose(next);
}

function join(entry) {
  const all = entries();
  const above = all[all.indexOf(entry) - 1];
  if (!above) return say("There is no entry above this one.");
  const into = named(above);
  chosen = { ref: into.ref, at: all.indexOf(above) };
  return change("join", { ...named(entry), into: into.ref, into_mark: into.mark });
}

export function setRole(role, time, moment, what = {}) {
  const fields = [...document.querySelectorAll(`input[data-role="${role}"]`)];
  if (!fields.length) return say("There is no outage to set this for.");
  say("Counting…");
  const index = Number(fields[0].dataset.incident);
  return change("incident", { index: nearestIncident(time, index), role, time, moment, ...what });
}

// With several outages a moment belongs to the one whose onset is next to it.
function nearestIncident(time, fallback) {
  const onsets = [...document.querySelectorAll('input[data-role="onset"]')];
  if (onsets.length < 2) return fallback;
  const seconds = (text) => {
    const found = /(\d\d):(\d\d)(?::(\d\d))?/.exec(text);
    return found ? Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3] || 0) : 0;
  };
  const gap = (field) => Math.abs(seconds(field.value) - seconds(time));
  return Number(onsets.reduce((best, field) => (gap(field) < gap(best) ? field : best)).dataset.incident);
}

function toNext(selector, what) {
  const all = [...document.querySelectorAll(selector)];
  const at = all.indexOf(document.activeElement);
  const next = all[(at + 1) % all.length];
  if (!next) return say(`No ${what} is left.`);
  showPane("document");
  next.focus();
  next.scrollIntoView({ block: "center" });
}

export function showPane(name) {
  document.body.dataset.show = name;
  for (const button of document.querySelectorAll(".switch button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }
  const line = name === "logs" && logActions.current();
  if (line) line.scrollIntoView({ block: "center" });
}

const withEntry = (action) => (target) => {
  const entry = (target && target.closest && target.closest(".entry")) || current();
  return entry ? action(entry) : say("The timeline is empty.");
};

export const actions = {
  next: () => (logActions.inside() ? logActions.move(1) : move(1)),
  previous: () => (logActions.inside() ? logActions.move(-1) : move(-1)),
  keep: withEntry(keep),
  edit: withEntry((entry) => editEntry(entry, (values, mine) => change("change", { ...named(entry), ...values }, mine))),
  drop: withEntry((entry) => change("drop", named(entry))),
  join: withEntry(join),
  take: (button) => change("newer", { ...named(button.closest("[data-mark]")), take: true }),
  leave: (button) => change("newer", { ...named(button.closest("[data-mark]")), take: false }),
  add: () => editEntry(null, (values, mine) => change("add", values, mine), current() ? current().dataset.time : ""),
  logs: withEntry((entry) => {
    choose(entry, { focus: false });
    showPane("logs");
    logActions.enter();
  }),
  entries: () => {
    showPane("document");
    choose(current());
  },
  trigger: (target) => role("trigger", target),
  candidates: () => toNext(".trigger:has(.state.open) [data-decide], .trigger [data-decide]", "outage"),
  onset: (target) => role("onset", target),
  recovery: (target) => role("recovery", target),
  promote: () => logActions.promote((args) => change("promote", args)),
  line: () => logActions.whole(),
  undo: () => change("undo"),
  redo: () => change("redo"),
  question: () => toNext(".question.open textarea", "open question"),
  owner: () => toNext('.measures [data-cell="owner"]:placeholder-shown', "measure without an owner"),
  "add-action": async () => {
    const table = document.querySelector(".measures");
    if (!table) return say("The document has no table of measures.");
    if (await change("add_action", { values: { action: "New measure" } })) {
      const fields = document.querySelectorAll('.measures [data-cell="action"]');
      fields[fields.length - 1].focus();
      fields[fields.length - 1].select();
    }
  },
  search: () => {
    showPane("logs");
    const field = document.getElementById("f-q");
    field.focus();
    field.select();
  },
  leave_search: () => logActions.clear(),
  all: () => logActions.toggle(),
  final: () => change("status", { status: "final" }),
  draft: () => change("status", { status: "draft" }),
  help,
  ...plotActions,
};

function role(name, target) {
  const inLog = (target && target.closest && target.closest(".logs")) || logActions.inside();
  const line = inLog && logActions.current();
  const quoted = (row) => ({ file: row.dataset.file, line: Number(row.dataset.line) });
  if (line) return setRole(name, line.dataset.time, Number(line.dataset.moment), name === "trigger" ? quoted(line) : {});
  return withEntry((entry) => setRole(name, entry.dataset.time, undefined, name === "trigger" ? { ref: entry.dataset.ref } : {}))(target);
}

function decide(button) {
  const part = button.closest(".trigger");
  const index = Number(part.dataset.incident);
  const status = button.dataset.decide;
  if (status !== "own") {
    const cite = button.dataset.number ? { cite: Number(button.dataset.number) } : {};
    return change("decide", { index, status, ...cite });
  }
  const time = part.querySelector("[data-trigger-time]");
  const words = part.querySelector("[data-trigger-words]");
  if (!words.value.trim()) {
    say("Say in words what happened.", true);
    return words.focus();
  }
  const failed = saved(time, words);
  return change("decide", { index, status: "confirmed", time: time.value, words: words.value }).then((done) => done || failed());
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-decide]");
  if (choice) return decide(choice);
  const button = event.target.closest("[data-do]");
  if (button && !button.disabled) {
    const entry = button.closest(".entry");
    if (entry) choose(entry, { focus: true, log: button.dataset.do === "logs" });
    if (actions[button.dataset.do]) actions[button.dataset.do](button);
    return;
  }
  const cite = event.target.closest("[data-cite]");
  const entry = event.target.closest(".entry");
  if (cite && entry) {
    choose(entry, { focus: false, log: false });
    loadLog({ ref: entry.dataset.ref, cite: cite.dataset.cite });
    showPane("logs");
    return;
  }
  if (entry && !String(window.getSelection())) return choose(entry);
  const pane = event.target.closest("[data-pane]");
  if (pane) showPane(pane.dataset.pane);
});

document.addEventListener("focusin", (event) => {
  const entry = event.target.closest && event.target.closest(".entry");
  if (entry && entry.dataset.ref !== chosen.ref) choose(entry, { focus: false });
});

onShow(() => {
  redraw().catch(() => {});
  const entry = current();
  if (entry) choose(entry, { focus: document.activeElement === document.body, log: false });
});

let watching = false;

async function watch() {
  if (document.hidden || watching) return;
  watching = true;
  const news = await refresh().catch(() => false);
  watching = false;
  if (news) say("The file was changed in an editor; the page shows it.");
}

startLog(() => choose(current(), { focus: false, log: false }));
startPlot({ jump: (moment) => loadLog({ moment }), dot: (ref) => choose(entries().find((one) => one.dataset.ref === ref)) });
startForms(change);
startKeys(actions);
const first = entries().find((one) => !one.classList.contains("done")) || entries()[0];
if (first) choose(first, { scroll: matchMedia("(min-width: 60rem)").matches });
else loadLog({});
setInterval(watch, 2000);
