// The drawing of a gamepad: where each control is, what has been found, what is asked for.

const REACH = 30;
const PRESSED = 0.5;

// Show `places` (control to where it is) and light up the control that is `asked` for.
export function drawPad(pad, places, asked) {
  for (const control of pad.querySelectorAll("[data-control]")) {
    const at = places.get(control.dataset.control);
    control.classList.toggle("known", at !== undefined);
    control.classList.toggle("pressed", at !== undefined && at >= PRESSED);
    control.classList.toggle("asked", control.dataset.control === asked);
    const pulled = control.querySelector(".pulled");
    if (pulled) {
      pulled.setAttribute("width", String(120 * (at ?? 0)));
    }
  }
  for (const stick of pad.querySelectorAll(".stick")) {
    const { across, along } = stick.dataset;
    const x = places.get(across);
    const y = places.get(along);
    stick.classList.toggle("known", x !== undefined || y !== undefined);
    stick.classList.toggle("asked", asked === across || asked === along);
    stick.classList.toggle("moved", Boolean(x || y));
    stick
      .querySelector(".knob")
      .setAttribute("transform", `translate(${REACH * (x ?? 0)} ${REACH * (y ?? 0)})`);
  }
}
