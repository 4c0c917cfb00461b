// Round numbers for an axis, whatever the unit of what is drawn.

const NICE = [1, 2, 5, 10];

/**
 * The smallest of 1, 2 and 5 times a power of ten that covers a span in at most so many parts.
 *
 * @param {number} span
 * @param {number} parts
 */
export function niceStep(span, parts) {
  const least = span / parts;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * (NICE.find((nice) => power * nice >= least * (1 - 1e-9)) ?? 10);
}

/**
 * The rounds at which an axis has a number: multiples of a round step, the beginning among them.
 *
 * @param {number} rounds
 * @param {number} [parts]
 */
export function roundTicks(rounds, parts = 5) {
  const step = Math.max(1, niceStep(Math.max(1, rounds), parts));
  return Array.from({ length: Math.floor(rounds / step) + 1 }, (_, i) => i * step);
}

/**
 * Levels of a loss with the digits that tell them apart.
 *
 * @param {number[]} levels
 */
export function levelTexts(levels) {
  const step = levels.length > 1 ? Math.abs(levels[1] - levels[0]) : Math.abs(levels[0] ?? 1) || 1;
  if (step >= 1e5 || step < 1e-4) return levels.map((v) => (Math.abs(v) < step / 2 ? "0" : v.toExponential(1)));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return levels.map((v) => v.toFixed(digits).replace("-", "−"));
}

/**
 * What a loss axis spans: a little room below and above. Losses that never fall below zero do not show less.
 *
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
export function lossRange(low, high) {
  const spread = high > low ? high - low : Math.abs(high) || 1;
  const bottom = low - 0.08 * spread;
  return [low >= 0 ? Math.max(0, bottom) : bottom, high + 0.03 * spread];
}
