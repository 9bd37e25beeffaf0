// A thumb stick that begins where the thumb lands and springs back when it lifts.
//
// Positions are in the rover's sense: `forward` positive up, `left` positive to the left, each
// within -1 to 1. Events: "move" on every change.

// How far the thumb goes from where it landed to the end, in CSS pixels.
const TRAVEL_PX = 64;

const clamp = (value) => Math.max(-1, Math.min(1, value));
// Adding zero makes a negative zero positive.
const scaled = (pixels) => clamp(pixels / TRAVEL_PX) + 0;

export class Stick extends EventTarget {
  #pad;
  #base;
  #knob;
  #pointer = null;
  #startX = 0;
  #startY = 0;
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
    pad.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  get held() {
    return this.#pointer !== null;
  }

  // Back to neutral now; a thumb that still lies there must lift and land again.
  release() {
    if (this.#pointer === null) return;
    this.#pointer = null;
    this.#pad.classList.remove("held");
    this.#base.style.transform = "";
    this.#set(0, 0);
  }

  #land(event) {
    if (this.#pointer !== null || !this.enabled || event.button > 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#pad.setPointerCapture(event.pointerId);
    this.#startX = event.clientX;
    this.#startY = event.clientY;
    const box = this.#pad.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    this.#base.style.transform = `translate(${x}px, ${y}px)`;
    this.#pad.classList.add("held");
    this.#set(0, 0);
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const forward = this.axes === "turn" ? 0 : scaled(this.#startY - event.clientY);
    const left = this.axes === "drive" ? 0 : scaled(this.#startX - event.clientX);
    this.#set(forward, left);
  }

  #lift(event) {
    if (event.pointerId === this.#pointer) this.release();
  }

  #set(forward, left) {
    this.forward = forward;
    this.left = left;
    this.#knob.style.transform = `translate(${-left * TRAVEL_PX}px, ${-forward * TRAVEL_PX}px)`;
    this.dispatchEvent(new Event("move"));
  }
}
