// Single keys, with a switch to turn them off (WCAG 2.1.4), and the table that the help shows.

import { say } from "./net.js";

export const table = [
  [["j", "k"], "next and previous entry or log line"],
  [["y"], "keep the entry and go on"],
  [["e"], "edit the entry"],
  [["m"], "merge the entry into the one above"],
  [["x"], "drop the entry"],
  [["a"], "add an entry of your own"],
  [["t"], "confirm this as the trigger"],
  [["c"], "to the candidates for the trigger"],
  [["[", "]"], "take this moment as the onset, as the recovery"],
  [["l", "h"], "to the log lines, back to the entries"],
  [["p"], "promote the log line to an entry"],
  [["o"], "show the whole log line"],
  [["/"], "search the logs"],
  [["g"], "every line, or one of a kind"],
  [["q"], "next open question"],
  [["w"], "next measure without an owner"],
  [["n"], "add a measure"],
  [["+", "−", "0"], "zoom in, out, all"],
  [["u", "U"], "undo, redo"],
  [["F"], "mark as final"],
  [["?"], "this help"],
  [["Esc"], "leave a field, a search or a dialog"],
  [["Ctrl Enter"], "save, and on to the next question"],
];

const names = {
  j: "next", ArrowDown: "next", k: "previous", ArrowUp: "previous", y: "keep", e: "edit", Enter: "open", m: "join",
  x: "drop", a: "add", t: "trigger", c: "candidates", "[": "onset", "]": "recovery", l: "logs", h: "entries", p: "promote", o: "line",
  "/": "search", g: "all", q: "question", w: "owner", n: "add-action", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out",
  "−": "zoom-out", 0: "zoom-all", u: "undo", U: "redo", F: "final", "?": "help",
};
const KEY = "retrolog.single-keys";
const typed = "input, textarea, select, [contenteditable]";

const on = () => localStorage.getItem(KEY) !== "off";

export function startKeys(actions) {
  let turn = Promise.resolve();
  const box = document.getElementById("d-single");
  box.checked = on();
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (at.matches(typed)) at.blur();
      actions.leave_search();
      actions.entries();
      return;
    }
    if (at.matches(typed) || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = event.key.startsWith("Arrow") || event.key === "Enter";
    if (!on() && !arrow && event.key !== "?") return;
    if (arrow && !at.closest(".entry, .line")) return;
    if (event.key === "Enter" && at.closest("button")) return;
    let name = names[event.key];
    if (name === "open") name = at.closest(".line") ? "line" : "logs";
    if (!name || !actions[name]) return;
    event.preventDefault();
    // Keys that are typed while a change is on its way wait for it, and mean the entry that is selected by then.
    turn = turn.then(() => actions[name](document.activeElement)).catch((error) => say(error.message, true));
  });
}
