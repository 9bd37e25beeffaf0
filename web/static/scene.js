// The live picture: a canvas behind the whole page, the rover in the middle of the stage,
// always pointing up, and the ground turning under it.

import { drawGround } from "./draw-ground.js";
import { drawRover } from "./draw-rover.js";
import { drawTurn } from "./draw-turn.js";
import { remember, remembered } from "./settings.js";

// At zoom 1 the stage shows at least this much, across and along.
const WIDTH_M = 1.7;
const LENGTH_M = 1.15;
const ZOOMS = [1.3, 1, 0.55, 0.28, 0.13, 0.05];
// A lower stage has no room for numbers beside the wheels.
const NUMBERS_PX = 280;
// An upright stage is high enough for the rover to be drawn below the figures.
const BELOW = 0.07;
// Between two telemetry frames the rover is moved on by its own velocity, at most this long.
const AHEAD_S = 0.12;

export class Scene {
  #canvas;
  #context;
  #stage;
  #track;
  #telemetry = null;
  #heardMs = 0;
  #zoom;
  #dirty = true;
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #rolled = [];
  #drawnMs = 0;

  constructor(canvas, stage, track) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#stage = stage;
    this.#track = track;
    this.#zoom = Math.min(ZOOMS.length - 1, Math.max(0, remembered("zoom", 1)));
    new ResizeObserver(() => this.#resize()).observe(stage);
    addEventListener("resize", () => this.#resize());
    document.addEventListener("themechange", () => {
      this.#dirty = true;
    });
    this.#resize();
    requestAnimationFrame((now) => this.#frame(now));
  }

  show(telemetry) {
    this.#telemetry = telemetry;
    this.#heardMs = performance.now();
    this.#track.add(telemetry.pose);
    this.#dirty = true;
  }

  zoom(steps) {
    this.#zoom = Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + steps));
    remember("zoom", this.#zoom);
    this.#dirty = true;
  }

  #resize() {
    const ratio = Math.min(devicePixelRatio || 1, 3);
    this.#canvas.width = Math.round(innerWidth * ratio);
    this.#canvas.height = Math.round(innerHeight * ratio);
    this.#dirty = true;
  }

  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    const telemetry = this.#telemetry;
    const moving = telemetry !== null && !this.#still.matches && isMoving(telemetry);
    if (!this.#dirty && !moving) return;
    this.#dirty = false;
    this.#draw(now);
  }

  #draw(now) {
    const ratio = this.#canvas.width / innerWidth;
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, innerWidth, innerHeight);
    if (this.#telemetry === null) return;
    const box = this.#stage.getBoundingClientRect();
    const elapsedS = Math.min(0.1, (now - this.#drawnMs) / 1000);
    this.#drawnMs = now;
    const view = {
      box,
      x: box.left + box.width / 2,
      y: box.top + box.height * (0.5 + (box.height > NUMBERS_PX ? BELOW : 0)),
      scale: Math.min(box.width / WIDTH_M, box.height / LENGTH_M) * ZOOMS[this.#zoom],
      hasNumbers: this.#zoom <= 1 && box.height > NUMBERS_PX,
    };
    const pose = this.#poseNow(now);
    drawGround(context, view, pose, this.#track.points);
    // From here on: x forward, y left, metres, seen from above.
    context.translate(view.x, view.y);
    drawTurn(context, view, this.#telemetry);
    drawRover(context, view, this.#telemetry, this.#roll(elapsedS));
  }

  // The measured pose, moved on to now.
  #poseNow(now) {
    const { pose, twist } = this.#telemetry;
    if (this.#still.matches || twist === null) return pose;
    const ahead = Math.min(AHEAD_S, (now - this.#heardMs) / 1000);
    const cos = Math.cos(pose.yaw_rad);
    const sin = Math.sin(pose.yaw_rad);
    return {
      x_m: pose.x_m + (twist.vx_mps * cos - twist.vy_mps * sin) * ahead,
      y_m: pose.y_m + (twist.vx_mps * sin + twist.vy_mps * cos) * ahead,
      yaw_rad: pose.yaw_rad + twist.yaw_rate_rad_s * ahead,
    };
  }

  // How far each tread has rolled, in metres, for the picture only.
  #roll(elapsedS) {
    const still = this.#still.matches;
    this.#rolled = this.#telemetry.wheels.map((wheel, i) => {
      const metres = still ? 0 : (wheel.speed_rad_s ?? 0) * wheel.radius_m * elapsedS;
      return (this.#rolled[i] ?? 0) + metres;
    });
    return this.#rolled;
  }
}

function isMoving(telemetry) {
  return telemetry.wheels.some((wheel) => Math.abs(wheel.speed_rad_s ?? 0) > 0.05);
}
