// The newest samples of several series, in a ring that is made once and never grows.

export class Ring {
  #size;
  #times;
  #series;
  #next = 0;
  #count = 0;

  constructor(size, series) {
    this.#size = size;
    this.#times = new Float64Array(size);
    this.#series = Array.from({ length: series }, () => new Float32Array(size).fill(NaN));
  }

  get length() {
    return this.#count;
  }

  // One value for each series at `timeS`; null and undefined leave a gap. A time before the last
  // one begins anew: the clock is another's.
  add(timeS, values) {
    if (this.#count > 0 && timeS < this.#times[this.#at(this.#count - 1)]) this.clear();
    this.#times[this.#next] = timeS;
    this.#series.forEach((samples, i) => {
      samples[this.#next] = values[i] ?? NaN;
    });
    this.#next = (this.#next + 1) % this.#size;
    this.#count = Math.min(this.#count + 1, this.#size);
  }

  clear() {
    this.#count = 0;
    this.#next = 0;
  }

  // Calls `each` with the time and value of every sample from `fromS` on, oldest first; a gap's
  // value is NaN.
  walk(series, fromS, each) {
    for (let i = 0; i < this.#count; i += 1) {
      const at = this.#at(i);
      if (this.#times[at] >= fromS) each(this.#times[at], this.#series[series][at]);
    }
  }

  // The least and the most of some series from `fromS` on, or null if there is nothing.
  range(series, fromS) {
    let [least, most] = [Infinity, -Infinity];
    for (const one of series) {
      this.walk(one, fromS, (_, value) => {
        if (value < least) least = value;
        if (value > most) most = value;
      });
    }
    return least <= most ? { least, most } : null;
  }

  #at(i) {
    return (this.#next - this.#count + i + this.#size) % this.#size;
  }
}

// A range with round ends that holds `range`, at least `span` wide and with zero in it if asked.
export function axis(range, { span, zero = false }) {
  let { least, most } = range ?? { least: 0, most: 0 };
  if (zero) [least, most] = [Math.min(0, least), Math.max(0, most)];
  const missing = Math.max(0, span - (most - least));
  // Slack goes up where the zero is the floor, else to both sides.
  if (zero && least === 0) most += missing;
  else [least, most] = [least - missing / 2, most + missing / 2];
  const step = roundStep((most - least) / 2);
  return { least: Math.floor(least / step + 1e-9) * step, most: Math.ceil(most / step - 1e-9) * step };
}

function roundStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= size * 0.999) ?? size;
}
