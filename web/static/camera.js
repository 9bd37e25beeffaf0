// The camera's picture: a WebSocket of its own while it is shown, drawn as it comes. Each picture
// is acknowledged once it is drawn; only then the next one is sent, so that none ever queues.

import { ageText, takeApart } from "./camera-picture.js";
import { byId, onPress, setHidden, setText } from "./dom.js";
import { remember, remembered } from "./settings.js";

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = new URL("./camera.css", import.meta.url).href;
document.head.append(sheet);

const AGAIN_MS = 1000;
const LOOK_MS = 250;

export class Camera {
  #panel = byId("camera-panel");
  #canvas = byId("camera");
  #context = this.#canvas.getContext("2d", { alpha: false });
  #tell;
  #isThere = false;
  #isOn = remembered("camera", true) !== false;
  #socket = null;
  #retryMs = 0;
  #takenMs = null;
  #trouble = "";

  // `tell` gets what is to be said to people.
  constructor(tell) {
    this.#tell = tell;
    onPress(byId("camera-on"), () => this.#switch(true));
    onPress(byId("camera-off"), () => this.#switch(false));
    onPress(byId("camera-size"), () => this.#resize());
    onPress(byId("camera-photo"), () => this.#photograph());
    // A page that nobody sees takes no pictures off the rover's radio.
    document.addEventListener("visibilitychange", () => this.#update());
    setInterval(() => this.#look(), LOOK_MS);
  }

  // Whether the rover has a camera now.
  set isThere(isThere) {
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#update();
  }

  #switch(isOn) {
    this.#isOn = isOn;
    remember("camera", isOn);
    this.#update();
    byId(isOn ? "camera-size" : "camera-on").focus({ preventScroll: true });
  }

  #resize() {
    const isLarge = this.#panel.dataset.size === "small";
    this.#panel.dataset.size = isLarge ? "large" : "small";
    const button = byId("camera-size");
    button.setAttribute("aria-pressed", String(isLarge));
    button.setAttribute("aria-label", isLarge ? "Make the picture smaller" : "Make the picture larger");
  }

  #update() {
    const isShown = this.#isThere && this.#isOn;
    setHidden(this.#panel, !isShown);
    setHidden(byId("camera-on"), !this.#isThere || this.#isOn);
    if (isShown && !document.hidden) this.#open();
    else this.#close();
  }

  #open() {
    if (this.#socket !== null) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/camera`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#hear(socket, data));
    socket.addEventListener("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#retryMs = performance.now() + AGAIN_MS;
    });
    this.#socket = socket;
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    this.#takenMs = null;
    socket?.close();
  }

  async #hear(socket, data) {
    if (typeof data === "string") {
      this.#trouble = JSON.parse(data).trouble;
      return;
    }
    const cameMs = performance.now();
    const { head, jpeg } = takeApart(data);
    try {
      const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      if (this.#socket !== socket) return;
      this.#draw(bitmap);
      this.#trouble = "";
      this.#takenMs = cameMs - head.age_ms;
      this.#canvas.dispatchEvent(new CustomEvent("drawn", { detail: head }));
    } catch {
      // A JPEG that is broken is passed over; the next one is on its way.
      this.#trouble = "a picture came broken";
    }
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ type: "seen", number: head.number }));
    }
  }

  #draw(bitmap) {
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(bitmap, 0, 0);
    bitmap.close();
  }

  #look() {
    const now = performance.now();
    if (this.#socket === null && now >= this.#retryMs) this.#update();
    const age = this.#takenMs === null ? "no picture yet" : ageText(now - this.#takenMs);
    const text = this.#trouble || age;
    setText(byId("camera-text"), text);
    setHidden(byId("camera-text"), text === "");
  }

  async #photograph() {
    try {
      const response = await fetch("/api/photo");
      if (!response.ok) throw new Error((await response.json()).error);
      const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      link.download = name ?? "rover.jpg";
      link.click();
      URL.revokeObjectURL(link.href);
      this.#tell(`Photo taken: ${link.download}`);
    } catch (error) {
      this.#tell(`No photo: ${error.message}`);
    }
  }
}
