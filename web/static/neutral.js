// Whether what is pushed here goes nowhere, and what the person has to do about that.

// A command's way to control and back as telemetry, with room for a slow link.
const PATIENCE_MS = 700;

export const LET_GO = "Let go, then push again";

export class Deafness {
  #sinceMs = null;

  // Takes what is pushed and what control was heard to do; returns whether the rover has not
  // followed for so long that it waits for neutral.
  heard({ pushing, state, source, yours }, nowMs) {
    const deaf = pushing && state === "armed" && yours && source === null;
    if (!deaf) this.#sinceMs = null;
    else this.#sinceMs ??= nowMs;
    return deaf && nowMs - this.#sinceMs > PATIENCE_MS;
  }
}
