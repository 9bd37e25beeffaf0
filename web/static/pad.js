// The page on which a gamepad is calibrated: shows what the server tells, sends the keys.

import "./pair.js";
import { drawPad } from "./pad-picture.js";

const byId = (id) => document.getElementById(id);
const KEYS = ["skip", "back", "write", "leave"];
const ASKING = new Set(["do", "let go"]);

let socket = null;
let ended = false;

function say(id, text) {
  const element = byId(id);
  // A status that is set anew is read out anew.
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function show(id, isShown) {
  byId(id).hidden = !isShown;
}

function showKeys(shown) {
  for (const key of KEYS) {
    show(key, shown.includes(key));
  }
}

function showAxes(axes) {
  const list = byId("axes");
  while (list.children.length > axes.length) {
    list.lastElementChild.remove();
  }
  for (const [number, axis] of axes.entries()) {
    let item = list.children[number];
    if (!item) {
      item = document.createElement("li");
      item.append(...["span", "meter", "span"].map((tag) => document.createElement(tag)));
      list.append(item);
    }
    const [name, meter, raw] = item.children;
    name.textContent = axis.name;
    meter.value = axis.part;
    meter.setAttribute("aria-label", axis.name);
    raw.textContent = axis.restless ? `${axis.raw}, moves by itself: left out` : String(axis.raw);
  }
}

function showFound(found, missing) {
  byId("found").replaceChildren(
    ...found.flatMap(({ control, sends }) => {
      const term = document.createElement("dt");
      const what = document.createElement("dd");
      term.textContent = control;
      what.textContent = sends;
      return [term, what];
    }),
  );
  say("missing", missing.join(", ") || "nothing");
}

function showView(view, text) {
  const isDone = view.stage === "done";
  say("title", view.title);
  say("text", isDone ? "That is all. Move everything: the drawing has to do the same." : view.text);
  say("remark", text || view.remark);
  show("steps", view.stage !== "wake");
  byId("progress").value = isDone ? view.count : view.number - 1;
  say("number", isDone ? "" : `${view.number} of ${view.count}`);
  drawPad(byId("pad"), new Map(view.places.map(({ control, at }) => [control, at])), view.control);
  const keys = ["leave"];
  if (ASKING.has(view.stage)) {
    keys.push("skip", "back");
  }
  if (isDone) {
    keys.push("back", "write");
  }
  showKeys(keys);
  show("sent", view.axes.length > 0 || view.down.length > 0);
  showAxes(view.axes);
  say("down", view.down.join(", ") || "none");
  show("result", isDone);
  if (isDone) {
    showFound(view.found, view.missing);
  }
}

function hear(frame) {
  if (frame.type === "ended") {
    ended = true;
    end(frame.text);
  } else if (frame.view === null) {
    say("text", frame.text);
    showKeys(["leave"]);
  } else {
    showView(frame.view, frame.text);
  }
}

function end(text) {
  say("text", text);
  say("remark", "");
  showKeys([]);
  show("steps", false);
  show("sent", false);
  show("deaf", false);
  drawPad(byId("pad"), new Map(), "");
  show("again", true);
}

function begin() {
  ended = false;
  show("again", false);
  show("result", false);
  show("deaf", true);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws/pad`);
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    if (!ended) {
      end("The connection to the rover is lost. Nothing was written; the rover has its gamepad back.");
    }
  });
}

for (const key of KEYS) {
  byId(key).addEventListener("click", () => {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ type: "key", key }));
    }
  });
}
byId("again").addEventListener("click", begin);
// A page that is put aside must not keep the rover's gamepad.
window.addEventListener("pagehide", () => socket.close());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    begin();
  }
});
begin();
