// Small helpers for changing the page only where something has changed.

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Browsers make no click of a tap while another finger holds a stick, so a press is where a
// finger lifts. The click that usually follows such a tap is swallowed, whatever lies there now.
const CLICK_AFTER_TAP_MS = 500;
const SAME_PLACE_PX = 24;
let tapped = { ms: -Infinity, x: 0, y: 0 };

addEventListener(
  "click",
  (event) => {
    if (event.detail === 0 || performance.now() - tapped.ms > CLICK_AFTER_TAP_MS) return;
    if (Math.hypot(event.clientX - tapped.x, event.clientY - tapped.y) > SAME_PLACE_PX) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  },
  { capture: true },
);

// Calls `act` with what was pressed inside `element`: by finger, mouse or keyboard.
export function onPress(element, act) {
  element.addEventListener("click", (event) => act(event.target));
  element.addEventListener("pointerup", (event) => {
    if (event.pointerType !== "touch" || element.disabled) return;
    tapped = { ms: performance.now(), x: event.clientX, y: event.clientY };
    const under = document.elementFromPoint(event.clientX, event.clientY);
    if (element.contains(under)) act(under);
  });
}

// Tells people who listen instead of looking.
export function announce(text) {
  setText(byId("announce"), text);
}
