// Numbers and names as a person reads them: a real minus sign, a thin gap before %, unknown is an en dash.

const THIN = "\u2009";

/**
 * @param {number} value
 * @param {number} [digits]
 */
export const fixed = (value, digits = 2) => (Number.isNaN(value) ? "–" : value.toFixed(digits).replace("-", "−"));

/**
 * A loss in any unit: two decimals, or as many figures where it is small.
 *
 * @param {number} value
 * @param {number} [digits]
 */
export const loss = (value, digits = 2) => {
  const size = Math.abs(value);
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return "∞";
  if (size >= 1000)
    return size < 1e6 ? fixed(value, 0).replace(/\B(?=(\d{3})+$)/g, ",") : value.toExponential(2).replace("e+", "e");
  if (size === 0 || size >= 0.1) return fixed(value, digits);
  return (size < 1e-4 ? value.toExponential(digits - 1) : value.toPrecision(digits)).replace("-", "−");
};

/** @param {number} share */
export const percent = (share) => {
  if (Number.isNaN(share)) return "–";
  return share < 5e-4 ? `0${THIN}%` : `${(share * 100).toFixed(1)}${THIN}%`;
};

/**
 * The share of the loss an update removes is good news, so it is written as the change of the loss: −0.52 %.
 *
 * @param {number} removed
 * @param {number} [digits]
 */
export const lossChange = (removed, digits = 2) => {
  if (Number.isNaN(removed)) return "–";
  const text = Math.abs(removed * 100).toFixed(digits);
  if (Number(text) === 0) return `0${THIN}%`;
  return `${removed > 0 ? "−" : "+"}${text}${THIN}%`;
};

/** @param {number} n */
export const bytes = (n) => {
  if (Number.isNaN(n)) return "–";
  if (n < 1e3) return `${n} B`;
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(2)} MB`;
};

/**
 * A stranger's text as it can be shown: what reorders letters or has no picture is replaced.
 *
 * @param {string} text
 */
export const visible = (text) => text.slice(0, 200).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
