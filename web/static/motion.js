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

const side = (leftward) => (leftward > 0 ? "left" : "right");

// A motion that moves, for people: "0.32 m/s back, left around 2.1 m".
export function describeMotion(motion) {
  const speed = `${Math.abs(motion.speed_mps).toFixed(2)} m/s${motion.speed_mps < 0 ? " back" : ""}`;
  if (motion.type === "spin") {
    return `${Math.abs(degrees(motion.yaw_rate_rad_s)).toFixed(0)}°/s ${side(motion.yaw_rate_rad_s)}`;
  }
  if (motion.type === "crab") {
    const heading = Math.round(degrees(motion.heading_rad));
    return heading === 0 ? speed : `${speed}, ${Math.abs(heading)}° ${side(heading)}`;
  }
  const curvature = motion.curvature_per_m;
  if (Math.abs(curvature) < STRAIGHT_PER_M) return speed;
  return `${speed}, ${side(curvature)} around ${(1 / Math.abs(curvature)).toFixed(1)} m`;
}

export const degrees = (radians) => (radians * 180) / Math.PI;
