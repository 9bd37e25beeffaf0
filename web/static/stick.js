// A thumb stick that begins where the thumb lands and springs back when it lifts. Event: "move"
// on every change.

import { offset, position, travels } from "./stick-maths.js";

export class Stick extends EventTarget {
  #pad;
  #base;
  #knob;
  #pointer = null;
  // Fingers that still lie where the stick was let go of: they must lift and land again.
  #stale = new Set();
  #startX = 0;
  #startY = 0;
  #travel = null;
  axes = "both";
  enabled = true;
  forward = 0;
  left = 0;

  constructor(pad) {
    super();
    this.#pad = pad;
    this.#base = pad.querySelector(".base");
    this.#knob = pad.querySelector(".knob");
    pad.addEventListener("pointerdown", (event) => this.#land(event));
    pad.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      pad.addEventListener(kind, (event) => this.#lift(event));
    }
    // A finger whose pad has gone meanwhile lifts somewhere else.
    for (const kind of ["pointerup", "pointercancel"]) {
      addEventListener(kind, ({ pointerId }) => this.#stale.delete(pointerId), { capture: true });
    }
    pad.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  get held() {
    return this.#pointer !== null;
  }

  get stale() {
    return this.#stale.size > 0;
  }

  // Back to neutral now; a thumb that still lies there must lift and land again.
  release() {
    if (this.#pointer === null) return;
    this.#stale.add(this.#pointer);
    this.#spring();
  }

  #spring() {
    this.#pointer = null;
    this.#pad.classList.remove("held");
    this.#base.style.transform = "";
    this.#set(0, 0);
  }

  #land(event) {
    if (this.#pointer !== null || !this.enabled || this.axes === "off" || event.button > 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#pad.setPointerCapture(event.pointerId);
    this.#startX = event.clientX;
    this.#startY = event.clientY;
    this.#travel = travels(event.clientX, event.clientY, innerWidth, innerHeight);
    const box = this.#pad.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    this.#base.style.transform = `translate(${x}px, ${y}px)`;
    this.#pad.classList.add("held");
    this.#set(0, 0);
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const [right, down] = [event.clientX - this.#startX, event.clientY - this.#startY];
    const { forward, left } = position(right, down, this.#travel, this.axes);
    this.#set(forward, left);
  }

  #lift(event) {
    if (event.pointerId !== this.#pointer) return;
    // After a lost capture the finger may go on lying there.
    if (event.type === "lostpointercapture") this.release();
    else this.#spring();
  }

  #set(forward, left) {
    this.forward = forward;
    this.left = left;
    const { right, down } = this.held ? offset(this, this.#travel) : { right: 0, down: 0 };
    this.#knob.style.transform = `translate(${right}px, ${down}px)`;
    this.dispatchEvent(new Event("move"));
  }
}
