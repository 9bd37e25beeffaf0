// What is felt in the hand: a stop, a fault. On phones that can, and on a gamepad that can.

const PATTERNS = { stop: [120], fault: [90, 70, 90, 70, 240] };

export class Haptics {
  #gamepad;
  wanted = true;

  constructor(gamepad) {
    this.#gamepad = gamepad;
  }

  // Takes "stop" or "fault".
  feel(what) {
    if (!this.wanted || document.hidden) return;
    const pattern = PATTERNS[what];
    // A page that nobody has touched yet may not shake the phone, and browsers complain.
    if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(pattern);
    this.#gamepad.shake(pattern.reduce((sum, part) => sum + part, 0));
  }
}
