// The known word that a misspelt one means, as difflib.get_close_matches(word, known, 1, 0.75) of
// Python finds it, so that both pages refuse the same links.

const CUTOFF = 0.75;

/**
 * Return the most similar word, or null if none is similar enough.
 * @param {string} word
 * @param {string[]} known
 */
export function closestWord(word, known) {
  const signs = [...word];
  const close = known
    .map((each) => ({each, ratio: similarity([...each], signs)}))
    .filter(({ratio}) => ratio >= CUTOFF)
    .sort((a, b) => b.ratio - a.ratio || (a.each < b.each ? 1 : -1));
  return close.length ? close[0].each : null;
}

/**
 * Return twice the number of matching signs over the number of all (Ratcliff and Obershelp, 1988).
 * @param {string[]} first
 * @param {string[]} second
 */
function similarity(first, second) {
  const total = first.length + second.length;
  // Texts of such different lengths cannot be similar.
  if ((2 * Math.min(first.length, second.length)) / total < CUTOFF) return 0;
  return (2 * countMatches(first, second)) / total;
}

/**
 * Count the signs of the longest common run, and of those before and after it.
 * @param {string[]} first
 * @param {string[]} second
 * @returns {number}
 */
function countMatches(first, second) {
  let [start, place, length] = [0, 0, 0];
  for (let i = 0; i < first.length; i++) {
    for (let j = 0; j < second.length; j++) {
      let run = 0;
      while (i + run < first.length && first[i + run] === second[j + run]) run++;
      if (run > length) [start, place, length] = [i, j, run];
    }
  }
  if (!length) return 0;
  const before = countMatches(first.slice(0, start), second.slice(0, place));
  const after = countMatches(first.slice(start + length), second.slice(place + length));
  return before + length + after;
}
