// What this phone remembers between visits. Storage may be forbidden: then nothing is kept.

const PREFIX = "rover.";

export function remembered(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Private browsing without storage: the setting lasts as long as the page.
  }
}
