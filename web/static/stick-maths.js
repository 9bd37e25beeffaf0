// Where a thumb is, as a stick: from where it landed, each axis within -1 to 1.
//
// Positions are raw, in the rover's sense: `forward` positive up, `left` positive to the left.
// Deadband and expo are the rover's own business, the same for the page and for gamepads.

// How far a thumb goes from where it landed to the stick's end, in CSS pixels.
export const TRAVEL_PX = 64;
// Near the screen's edge the way is shorter: the end must be reached before the glass ends.
const LEAST_TRAVEL_PX = 28;
const EDGE_PX = 10;

export const clamp = (value) => Math.max(-1, Math.min(1, value));

// How far the stick goes each way for a thumb that landed at x, y of a screen of this size.
export function travels(x, y, width, height) {
  const within = (room) => Math.max(LEAST_TRAVEL_PX, Math.min(TRAVEL_PX, room - EDGE_PX));
  return { up: within(y), down: within(height - y), left: within(x), right: within(width - x) };
}

// The position of a thumb that has moved on by so many pixels to the right and down. Of a pad
// whose `axes` is "drive" or "turn" the other axis does not count, of "off" neither.
export function position(right, down, travel, axes) {
  const drives = axes === "both" || axes === "drive";
  const turns = axes === "both" || axes === "turn";
  // Adding zero makes a negative zero positive.
  return {
    forward: drives ? clamp(-down / (down < 0 ? travel.up : travel.down)) + 0 : 0,
    left: turns ? clamp(-right / (right < 0 ? travel.left : travel.right)) + 0 : 0,
  };
}

// Where the knob is then, in pixels to the right and down.
export function offset({ forward, left }, travel) {
  return {
    right: -left * (left > 0 ? travel.left : travel.right),
    down: -forward * (forward > 0 ? travel.up : travel.down),
  };
}

// What several sticks ask for together.
export function together(inputs) {
  return {
    forward: clamp(inputs.reduce((sum, input) => sum + input.forward, 0)),
    left: clamp(inputs.reduce((sum, input) => sum + input.left, 0)),
  };
}

const HINTS = {
  arc: ["Drive", "Steer", "Drive and steer"],
  spin: ["", "Spin", "Spin"],
  crab: ["Forward", "Sideways", "Slide"],
};

// What the two pads are for: `drive` alone is not there when one thumb does everything.
export function arrange(mode, thumbs) {
  const [drive, turn, both] = HINTS[mode];
  const first = { axes: thumbs === "two" && mode !== "spin" ? "drive" : "off", hint: drive };
  if (mode === "spin") return { first, second: { axes: "turn", hint: turn } };
  if (thumbs === "two") return { first, second: { axes: "turn", hint: turn } };
  return { first, second: { axes: "both", hint: both } };
}
