// Colours for canvases: CSS mixes cannot be read by a canvas, so each token is resolved through a probe element,
// again whenever the notebook's theme changes.

/** @import { Colours } from "./types.js" */

const TOKENS = [
  "paper",
  "ink0",
  "ink",
  "ink2",
  "mark",
  "hair",
  "grid",
  "edge",
  "work",
  "work2",
  "work3",
  "flag",
  "flag3",
  "flagink",
  "band",
];

/**
 * @param {HTMLElement} root
 * @returns {Colours}
 */
export function resolve(root) {
  const probe = document.createElement("span");
  probe.style.display = "none";
  root.append(probe);
  /** @type {Colours} */
  const colours = {};
  for (const token of TOKENS) {
    probe.style.color = `var(--${token})`;
    colours[token] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

/**
 * Call back on every change of theme; returns how to stop.
 *
 * @param {() => void} callback
 */
export function onThemeChange(callback) {
  const observer = new MutationObserver(callback);
  const attributeFilter = [
    "data-jp-theme-light",
    "data-jp-theme-name",
    "data-theme",
    "class",
    "data-vscode-theme-kind",
  ];
  observer.observe(document.body, { attributes: true, attributeFilter });
  observer.observe(document.documentElement, { attributes: true, attributeFilter });
  const queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"].map((q) =>
    matchMedia(q),
  );
  for (const query of queries) query.addEventListener("change", callback);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", callback);
  };
}

/**
 * Size a canvas for the screen's pixels and return its context in CSS pixels, cleared.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function context(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}
