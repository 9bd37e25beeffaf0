// A step of the calibration: shows what the server tells, says what the person does.
// What is held is said ten times a second; a page that falls silent has nothing moved.

import "./pair.js";
import { byId, make, setHidden, setText } from "./dom.js";
import { drawWheels } from "./calibrate-wheels.js";

const SAY_EVERY_MS = 100;
// Arrows of the keyboard, and the d-pad of a gamepad on this device (standard mapping).
const NUDGES = ["up", "left", "right", "down"];
const ARROWS = { ArrowUp: "up", ArrowLeft: "left", ArrowRight: "right", ArrowDown: "down" };
const D_PAD = { 12: "up", 13: "down", 14: "left", 15: "right" };
const HOLD_KEYS = new Set(["Space", "Enter"]);

const name = byId("title").dataset.step;
let socket = null;
let ended = true;
// The newest time that the server has told: by it it knows what has been held up on the way.
let seen = null;
let holding = false;
let offered = new Set();
let padDown = new Set();
let shownChoices = "";

function say(frame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function press(key) {
  say({ type: "press", key });
}

function letGo() {
  byId("hold").classList.remove("held");
  if (!holding) return;
  holding = false;
  // At once: it stops by itself only when the last word has run out.
  sayWhereIAm();
}

function takeHold() {
  holding = true;
  byId("hold").classList.add("held");
  sayWhereIAm();
}

function sayWhereIAm() {
  if (seen !== null) say({ type: holding ? "hold" : "here", seen_s: seen });
}

// A page that is hidden is not looked at: it holds nothing, and is not there.
setInterval(() => {
  if (ended || document.hidden) return;
  lookAtPads();
  sayWhereIAm();
}, SAY_EVERY_MS);

function lookAtPads() {
  const down = new Set();
  for (const pad of navigator.getGamepads?.() ?? []) {
    for (const [button, key] of Object.entries(D_PAD)) {
      if (pad?.mapping === "standard" && pad.buttons[button]?.pressed) down.add(key);
    }
  }
  for (const key of down) {
    if (!padDown.has(key) && offered.has(key)) press(key);
  }
  padDown = down;
}

function button(choice) {
  const element = make("button", "button", choice.label);
  element.type = "button";
  element.dataset.key = choice.key;
  element.addEventListener("click", () => press(choice.key));
  return element;
}

function showChoices(choices) {
  offered = new Set(choices.map(({ key }) => key));
  // Made anew only when they change: a button under a finger stays the same.
  const now = JSON.stringify(choices);
  if (now === shownChoices) return;
  shownChoices = now;
  const nudges = choices.filter(({ key }) => NUDGES.includes(key));
  const others = choices.filter(({ key }) => !NUDGES.includes(key));
  byId("nudges").replaceChildren(...nudges.map(button));
  byId("choices").replaceChildren(...others.map(button));
  setHidden(byId("nudges"), nudges.length === 0);
}

function showAsked(asked) {
  const wasHidden = byId("asked").hidden;
  setHidden(byId("asked"), asked === null);
  if (asked === null) return;
  setText(byId("asked-text"), `${asked.label} (${asked.unit})`);
  const value = byId("value");
  value.min = asked.least;
  value.max = asked.most;
  if (wasHidden) value.value = "";
}

function showFound(rows) {
  setHidden(byId("result"), rows.length === 0);
  byId("found").replaceChildren(
    ...rows.flatMap((row) => [
      make("dt", "", row.name),
      make("dd", row.changes ? "changes" : "", row.changes ? `${row.value} (changes)` : row.value),
    ]),
  );
}

function show(view) {
  setText(byId("title"), view.title);
  setText(byId("text"), view.text);
  setText(byId("remark"), view.remark);
  setHidden(byId("steps"), view.count === 0);
  byId("progress").max = Math.max(1, view.count);
  byId("progress").value = view.number;
  setText(byId("number"), `${view.number} of ${view.count}`);
  if (!view.hold) letGo();
  setHidden(byId("hold"), !view.hold);
  setText(byId("hold-text"), view.hold);
  showChoices(view.choices);
  showAsked(view.asked);
  setHidden(byId("drawing"), view.wheels.length === 0);
  drawWheels(byId("rover"), view.wheels);
  showFound(view.found);
}

function end(text) {
  ended = true;
  letGo();
  setText(byId("text"), text);
  setText(byId("remark"), "");
  showChoices([]);
  showAsked(null);
  for (const id of ["steps", "hold", "drawing"]) setHidden(byId(id), true);
  setHidden(byId("again"), false);
}

function hear(frame) {
  if (frame.type === "clock") seen = frame.clock_s;
  else if (frame.type === "ended") end(frame.text);
  else show(frame.view);
}

function begin() {
  ended = false;
  seen = null;
  setHidden(byId("again"), true);
  setHidden(byId("result"), true);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const mine = new WebSocket(`${scheme}//${location.host}/ws/calibrate/${name}`);
  socket = mine;
  mine.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  mine.addEventListener("close", () => {
    if (!ended && mine === socket) {
      end("The connection to the rover is lost, and nothing moves. What was found is kept.");
    }
  });
}

const hold = byId("hold");
hold.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  hold.setPointerCapture(event.pointerId);
  takeHold();
});
for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
  hold.addEventListener(kind, letGo);
}
hold.addEventListener("contextmenu", (event) => event.preventDefault());
hold.addEventListener("keydown", (event) => {
  if (!HOLD_KEYS.has(event.code)) return;
  event.preventDefault();
  if (!event.repeat) takeHold();
});
hold.addEventListener("keyup", letGo);
addEventListener("blur", letGo);
document.addEventListener("visibilitychange", letGo);
addEventListener("keydown", (event) => {
  const key = ARROWS[event.code];
  if (!key || !offered.has(key) || event.target.tagName === "INPUT") return;
  event.preventDefault();
  press(key);
});
byId("asked").addEventListener("submit", (event) => {
  event.preventDefault();
  say({ type: "number", value: byId("value").valueAsNumber });
});
byId("again").addEventListener("click", begin);
addEventListener("pagehide", () => {
  letGo();
  socket.close();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) begin();
});
begin();
