// Dialogs, and fields that save themselves when they are left.

import { isReplacing, saved, say } from "./net.js";
import { table } from "./keys.js";

const by = (id) => document.getElementById(id);
let origin = null;

function open(dialog) {
  origin = document.activeElement;
  dialog.showModal();
}

function closed() {
  if (origin && origin.isConnected) origin.focus({ preventScroll: true });
  else {
    const entry = document.querySelector("#entries .entry[aria-current]");
    if (entry) entry.focus({ preventScroll: true });
  }
}

let submit = null;

// `entry` null adds one; `send(values, mine)` answers whether it was written.
export function editEntry(entry, send, time = "") {
  const { time: at, label, words } = entry ? entry.dataset : { time, label: "Chat", words: "" };
  by("d-entry-title").textContent = entry ? "Edit the entry" : "Add an entry";
  by("d-time").value = at;
  by("d-label").value = label;
  by("d-words").value = words;
  by("d-trouble").textContent = "";
  submit = send;
  open(by("d-entry"));
  const field = by("d-words");
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

async function send(event) {
  event.preventDefault();
  const values = { time: by("d-time").value, label: by("d-label").value, words: by("d-words").value };
  if (!values.words.trim() || !values.time.trim()) {
    by("d-trouble").textContent = "An entry needs a time and words.";
    return;
  }
  by("d-entry").close();
  const mine = `${values.time} ${values.label} ${values.words}`;
  if (!(await submit(values, mine)) && !by("d-clash").open) {
    by("d-trouble").textContent = by("said").textContent;
    open(by("d-entry"));
  }
}

let useMine = null;

export function clash(theirs, mine, again) {
  by("d-theirs").textContent = theirs;
  by("d-mine").textContent = mine;
  useMine = again;
  open(by("d-clash"));
}

export function showLine(found) {
  by("d-where").textContent = `${found.where} · sha256:${found.digest}`;
  by("d-raw").textContent = found.text;
  open(by("d-line"));
}

export function help() {
  const list = document.createElement("dl");
  for (const [keys, words] of table) {
    const row = document.createElement("div");
    const term = document.createElement("dt");
    for (const key of keys) term.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
    row.append(term, Object.assign(document.createElement("dd"), { textContent: words }));
    list.append(row);
  }
  by("d-keys").replaceChildren(list);
  open(by("d-help"));
}

function answer(question, change) {
  const field = question.querySelector("[data-answer]");
  const owner = question.querySelector("[data-owner]");
  const { ref } = question.dataset;
  const values = { ref, answer: field.value, owner: owner ? owner.value : "" };
  const failed = owner ? saved(field, owner) : saved(field);
  return change("answer", marked(`[data-ref="${CSS.escape(ref)}"]`, question, values), field.value).then((done) => done || failed());
}

function measure(cell, change) {
  const line = cell.closest("tr");
  const values = { row: Number(line.dataset.row), values: { [cell.dataset.cell]: cell.value } };
  const failed = cell.tagName === "SELECT" ? () => {} : saved(cell);
  return change("set_action", marked(`tr[data-row="${line.dataset.row}"]`, line, values), cell.value).then((done) => done || failed());
}

// The mark is read when the change is sent: one before it may have changed the same part.
function marked(selector, part, values) {
  return () => ({ ...values, mark: (document.querySelector(selector) || part).dataset.mark });
}

function save(field, change) {
  const question = field.closest(".question");
  if (question && field.matches("[data-answer], [data-owner]")) return answer(question, change);
  if (field.matches("[data-cell]")) return measure(field, change);
  if (field.matches("[data-role]")) {
    const failed = saved(field);
    say("Counting…");
    return change("incident", { index: Number(field.dataset.incident), role: field.dataset.role, time: field.value }).then((done) => {
      if (done) return;
      failed();
      field.value = field.defaultValue;
    });
  }
  return null;
}

export function startForms(change) {
  by("d-entry").querySelector("form").addEventListener("submit", send);
  by("d-use-mine").addEventListener("click", () => {
    by("d-clash").close();
    useMine();
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("close", closed);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
  // Not `change`: a field that was put on the page anew, with what was typed before, would not say so.
  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (!isReplacing() && field.matches("input, textarea") && field.value !== field.defaultValue) save(field, change);
  });
  document.addEventListener("change", (event) => event.target.matches("select") && save(event.target, change));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (event.target.matches("input[data-role], input[data-cell], input[data-owner]")) return event.target.blur();
    if (event.target.matches("[data-trigger-time], [data-trigger-words]")) return event.target.closest(".trigger").querySelector('[data-decide="own"]').click();
    if (!(event.ctrlKey || event.metaKey)) return;
    if (by("d-entry").open) by("d-entry").querySelector("form").requestSubmit();
    else if (event.target.matches("[data-answer]")) {
      const fields = [...document.querySelectorAll(".question.open [data-answer]")];
      const next = fields[fields.indexOf(event.target) + 1];
      (next || event.target).focus();
      if (!next) event.target.blur();
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest('[data-do="drop-question"], [data-do="drop-action"]');
    if (!button) return;
    if (button.dataset.do === "drop-question") {
      const question = button.closest(".question");
      change("drop", { ref: question.dataset.ref, mark: question.dataset.mark });
    } else {
      const line = button.closest("tr");
      change("drop_action", { mark: line.dataset.mark, row: Number(line.dataset.row) });
    }
  });
}
