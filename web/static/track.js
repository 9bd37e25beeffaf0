// The path that was driven, in the world's frame: metres, from where the rover started.

const SPACING_M = 0.02;
const MAX_POINTS = 6000;
// Control was restarted, or the pose was set: no line is drawn across.
const JUMP_M = 0.5;

export class Track {
  // Points with `gap` true begin a new line.
  points = [];

  add(pose) {
    const last = this.points.at(-1);
    const step = last ? Math.hypot(pose.x_m - last.x, pose.y_m - last.y) : Infinity;
    if (step < SPACING_M) return;
    this.points.push({ x: pose.x_m, y: pose.y_m, gap: step > JUMP_M });
    if (this.points.length > MAX_POINTS) this.points.splice(0, MAX_POINTS / 10);
  }
}
