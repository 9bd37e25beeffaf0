// The WebSocket: connects and reconnects, measures the link, hands frames on as events.
//
// Events: "state", "answer", "reason", "welcome" (detail: the frame), "open", "close".

import { roundTripMs } from "./latency.js";

const RETRY_MS = [100, 250, 500, 1000, 2000];
const PING_MS = 500;
// A connection on which nothing has come for so long is given up for a new one.
const DEAD_MS = 2500;
// Frames that wait in the browser would arrive late in a burst.
const MAX_WAITING_BYTES = 1024;

export class Link extends EventTarget {
  #socket = null;
  #tries = 0;
  #retry = 0;
  #number = 0;
  // The server's clock in the newest state frame of this connection, null before the first:
  // sent back, it tells the server how old a picture is being driven by.
  seenS = null;
  heardMs = -Infinity;
  openedMs = 0;
  roundTripMs = null;
  // What this page said last of what came back, and when it did.
  #tripT = null;
  #trippedMs = 0;
  mayDrive = false;
  client = "";

  start() {
    setInterval(() => this.#watch(), PING_MS);
    addEventListener("online", () => this.#reconnect());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && performance.now() - this.heardMs > DEAD_MS) this.#reconnect();
    });
    this.#connect();
  }

  get isOpen() {
    return this.#socket !== null && this.#socket.readyState === WebSocket.OPEN;
  }

  // How long ago the round trip was measured.
  get tripAgeMs() {
    return performance.now() - this.#trippedMs;
  }

  get isBusy() {
    return !this.isOpen || this.#socket.bufferedAmount > MAX_WAITING_BYTES;
  }

  // Sends a frame with this page's time in it; tells whether there was a connection.
  send(frame) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify({ ...frame, t: performance.now() }));
    return true;
  }

  // Asks for arm, disarm, stop or clear, of a rover that was seen in the state `seen`; returns
  // the number its answer will carry, or 0.
  request(kind, seen = null) {
    this.#number += 1;
    return this.send({ type: "request", kind, number: this.#number, seen }) ? this.#number : 0;
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws`);
    this.#socket = socket;
    this.seenS = null;
    this.openedMs = performance.now();
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#tries = 0;
      this.send({ type: "ping" });
      this.#emit("open");
    };
    socket.onmessage = (message) => {
      if (socket === this.#socket) this.#hear(JSON.parse(message.data));
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lose();
    };
  }

  #lose() {
    this.#socket = null;
    this.roundTripMs = null;
    this.#emit("close");
    const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)];
    this.#tries += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #reconnect() {
    clearTimeout(this.#retry);
    if (this.#socket !== null) {
      const old = this.#socket;
      this.#socket = null;
      old.close();
      this.#emit("close");
    }
    this.#tries = 0;
    this.#connect();
  }

  #hear(frame) {
    const now = performance.now();
    this.heardMs = now;
    if (frame.type === "state") {
      this.seenS = frame.clock_s;
      if (frame.t !== null && frame.t !== this.#tripT) {
        this.roundTripMs = roundTripMs(now, frame.t, frame.held_ms);
        this.#tripT = frame.t;
        this.#trippedMs = now;
      }
    } else if (frame.type === "welcome") {
      this.client = frame.client;
      this.mayDrive = frame.may_drive;
    }
    this.#emit(frame.type, frame);
  }

  #watch() {
    if (this.isOpen) {
      if (!document.hidden) this.send({ type: "ping" });
      if (performance.now() - Math.max(this.heardMs, this.openedMs) > DEAD_MS) this.#reconnect();
    } else if (this.#socket !== null && performance.now() - this.openedMs > 2 * DEAD_MS) {
      this.#reconnect();
    }
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
