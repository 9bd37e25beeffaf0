// What a motion means for a picture: where it turns, and in words.

const STRAIGHT_PER_M = 0.02;

// The turning centre in the rover's frame (x forward, y left), or null for none.
export function turningCentre(motion) {
  if (motion.type === "spin") return motion.yaw_rate_rad_s === 0 ? null : { x: 0, y: 0 };
  if (motion.type !== "arc" || Math.abs(motion.curvature_per_m) < STRAIGHT_PER_M) return null;
  return { x: 0, y: 1 / motion.curvature_per_m };
}

// Whether a motion asks for anything.
export function moves(motion) {
  switch (motion.type) {
    case "arc":
      return motion.speed_mps !== 0 || motion.curvature_per_m !== 0;
    case "spin":
      return motion.yaw_rate_rad_s !== 0;
    case "crab":
      return motion.speed_mps !== 0;
    default:
      return false;
  }
}

export const degrees = (radians) => (radians * 180) / Math.PI;
