// The rover's wheels from above, its front up: x forward, y to the left, as everywhere here.

const SVG = "http://www.w3.org/2000/svg";
const HALF = 78;
const WHEEL = { width: 14, height: 30 };

function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function farthest(wheels) {
  return Math.max(0.01, ...wheels.flatMap(({ x_m, y_m }) => [Math.abs(x_m), Math.abs(y_m)]));
}

function draw(wheel, scale) {
  const x = -wheel.y_m * scale;
  const y = -wheel.x_m * scale;
  const degrees = (-wheel.steer_rad * 180) / Math.PI;
  const group = make("g", { class: "wheel" });
  group.classList.toggle("known", wheel.known);
  group.classList.toggle("moves", wheel.moves);
  const { width, height } = WHEEL;
  group.append(
    make("rect", {
      ...{ x: x - width / 2, y: y - height / 2, width, height, rx: 4 },
      transform: `rotate(${degrees} ${x} ${y})`,
    }),
  );
  const label = make("text", { x, y: y + height / 2 + 10 });
  const angle = (wheel.steer_rad * 180) / Math.PI;
  const said = wheel.moves ? ` ${angle.toFixed(1)}°` : wheel.known ? " ✓" : "";
  label.textContent = `${wheel.name.replaceAll("_", " ")}${said}`;
  group.append(label);
  return group;
}

let drawn = "";

export function drawWheels(svg, wheels) {
  const now = JSON.stringify(wheels);
  if (now === drawn) return;
  drawn = now;
  const scale = HALF / farthest(wheels);
  const front = make("path", { class: "front", d: "M0 -99l7 9h-14z" });
  svg.replaceChildren(front, ...wheels.map((wheel) => draw(wheel, scale)));
}
