// How long the battery will last: what its voltage says is left, over a slow mean of the current.
//
// A rough figure, and only where the battery's capacity is set and its current measured.

// What a mean of the current looks back on, and how much of that must have been heard.
const MEAN_S = 60;
const SETTLED_S = 20;
// A gap in what is heard is not counted as time at the last current.
const LONGEST_STEP_S = 2;
const LEAST_CURRENT_A = 0.02;
// Longer times are not worth a figure.
const MOST_HOURS = 24;

export class BatteryLife {
  #minimumV;
  #fullV;
  #capacityAh;
  #meanA = 0;
  #meanV = 0;
  #heardS = 0;
  #stampS = null;

  // Capacity 0: not known.
  constructor(minimumV, fullV, capacityAh) {
    this.#minimumV = minimumV;
    this.#fullV = fullV;
    this.#capacityAh = capacityAh;
  }

  // Takes a power reading, or null when there is none.
  hear(power) {
    if (power === null || power.current_a === null) return this.#forget();
    if (this.#stampS === null || power.stamp_s < this.#stampS) {
      this.#forget();
      [this.#stampS, this.#meanA, this.#meanV] = [power.stamp_s, power.current_a, power.voltage_v];
      return;
    }
    const stepS = Math.min(LONGEST_STEP_S, power.stamp_s - this.#stampS);
    this.#stampS = power.stamp_s;
    this.#heardS += stepS;
    // Until it has looked back that far it is the mean of all that was heard.
    const part = stepS / Math.max(stepS, Math.min(MEAN_S, this.#heardS)) || 0;
    this.#meanA += (power.current_a - this.#meanA) * part;
    this.#meanV += (power.voltage_v - this.#meanV) * part;
  }

  // Hours until the voltage at which the rover stops, or null if nobody can know.
  get hoursLeft() {
    if (this.#capacityAh <= 0 || this.#heardS < SETTLED_S || this.#meanA < LEAST_CURRENT_A) return null;
    const part = (this.#meanV - this.#minimumV) / (this.#fullV - this.#minimumV);
    const hours = (Math.max(0, Math.min(1, part)) * this.#capacityAh) / this.#meanA;
    return hours > MOST_HOURS ? null : hours;
  }

  #forget() {
    this.#heardS = 0;
    this.#stampS = null;
  }
}

// "about 1 h 20", in steps that do not pretend to be exact; empty for null.
export function describeHours(hours) {
  if (hours === null) return "";
  const minutes = hours * 60;
  const step = minutes < 10 ? 1 : minutes < 60 ? 5 : 10;
  const rounded = Math.round(minutes / step) * step;
  if (rounded < 1) return "under 1 min";
  if (rounded < 60) return `about ${rounded} min`;
  const rest = rounded % 60;
  return `about ${Math.floor(rounded / 60)} h${rest ? ` ${String(rest).padStart(2, "0")}` : ""}`;
}
