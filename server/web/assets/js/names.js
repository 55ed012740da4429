/** Names of rooms and streams: 1–64 of A–Z a–z 0–9 _ . -, not starting with a dot. */

const MAX = 64;

/**
 * Makes a valid name of what a person typed.
 * @param {string} text
 * @returns {string} empty if nothing of it can be kept
 */
export function toName(text) {
  return text
    .normalize('NFKD').replace(/\p{Mark}/gu, '')
    .replace(/ß/g, 'ss').replace(/[æÆ]/g, 'ae').replace(/[øØ]/g, 'o').replace(/[łŁ]/g, 'l')
    .replace(/['’]/g, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[.-]+|-+$/g, '')
    .slice(0, MAX);
}

/**
 * The name itself, or with the first free number behind it.
 * @param {string} name
 * @param {{has(name: string): boolean}} taken
 */
export function freeName(name, taken) {
  for (let n = 1, candidate = name; ; candidate = `${name.slice(0, MAX - 6)}-${++n}`) {
    if (!taken.has(candidate)) return candidate;
  }
}

const QUALITIES = ['amber', 'brave', 'calm', 'clever', 'early', 'gentle', 'jolly', 'keen', 'lucky', 'mellow', 'quiet', 'sunny', 'swift', 'witty'];
const ANIMALS = ['badger', 'crane', 'dolphin', 'falcon', 'finch', 'fox', 'heron', 'lynx', 'marten', 'otter', 'panda', 'robin', 'seal', 'wren'];

/** A friendly name for somebody who gave none. */
export function randomName() {
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  return `${pick(QUALITIES)}-${pick(ANIMALS)}`;
}

/** Dark enough for white text; the server paints the cards of a mosaic in the same. */
const COLOURS = ['#3b5b92', '#2f6f73', '#3f7048', '#6b6a2e', '#8a5a2b', '#9a4b3c', '#94435f', '#7a4a86', '#5b5499', '#4a5b6c', '#2c6a8f', '#6f5a4c'];

/**
 * The colour of a name, always the same (FNV-1a, as in the mosaic).
 * @param {string} name
 */
export function colourOf(name) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return COLOURS[(hash >>> 0) % COLOURS.length];
}
