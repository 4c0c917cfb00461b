// Every weight of a subnet in one picture: validators down, miners across, the darker the more.
// An orange foot marks what consensus cut. A reader moves over it by pointer or by arrow keys; the words say the cell.

import { html } from "lit-html";
import { counted } from "./following.js";
import { context, resolve } from "./theme.js";
import { percent } from "./words.js";

/** @import { HeatState } from "./types.js" */

const WIDE = 840;
const HIGH = 260;
const LEAST = 2; // pixels of a cell
const MOST = 22;
const U16 = 65535;
const CUT = 6; // of u16: closer than this, nothing was cut off

/** @param {string} text u16, little-endian, in base64 */
export function numbers(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Uint16Array(bytes.buffer, 0, bytes.length >> 1);
}

export class Heat {
  /** @param {() => void} changed called when another cell is looked at */
  constructor(changed) {
    this.changed = changed;
    this.row = 0;
    this.column = 0;
    this.colours = "";
    /** @type {HeatState | null} */
    this.state = null;
    this.weights = new Uint16Array(0);
    this.clipped = new Uint16Array(0);
  }

  /** @param {HeatState | null} state */
  put(state) {
    this.state = state;
    if (!state) return;
    this.weights = numbers(state.weights);
    this.clipped = numbers(state.clipped);
    this.#look(this.row, this.column);
  }

  get size() {
    const { miners, validators } = this.state ?? { miners: [], validators: [] };
    const wide = Math.max(LEAST, Math.min(MOST, WIDE / Math.max(1, miners.length)));
    return { wide, high: Math.max(LEAST, Math.min(MOST, HIGH / Math.max(1, validators.length))) };
  }

  get said() {
    if (!this.state) return "";
    const { validators, miners } = this.state;
    const at = this.row * miners.length + this.column;
    const [given, kept] = [this.weights[at] / U16, this.clipped[at] / U16];
    const cut = this.weights[at] - this.clipped[at] > CUT ? `; consensus leaves ${percent(kept)}` : "";
    return `validator ${validators[this.row]} gives miner ${miners[this.column]} ${percent(given)}${cut}`;
  }

  drawn() {
    if (!this.state) return html``;
    const { validators, miners } = this.state;
    return html`<h3>Who weighs whom?</h3>
      <p class="caption">All ${counted(validators.length, "validator")} down, most stake first, all ${counted(miners.length, "miner")}
        across; the darker, the more. <i class="cut"></i> what consensus cut off</p>
      <div class="scroll"><canvas class="heat" tabindex="0" role="img" aria-label=${this.said}
        @pointermove=${this.#point.bind(this)}></canvas></div>
      <p class="muted" role="status">${this.said}</p>`;
  }

  /**
   * @param {HTMLElement} root
   * @param {boolean} [calm] only where the colours are others than before
   */
  paint(root, calm = false) {
    const canvas = /** @type {HTMLCanvasElement | null} */ (root.querySelector("canvas.heat"));
    if (!canvas || !this.state) return;
    const colours = resolve(root);
    if (calm && String(Object.values(colours)) === this.colours) return; // a page's classes change all the time
    this.colours = String(Object.values(colours));
    const { wide, high } = this.size;
    const columns = this.state.miners.length;
    const pen = context(canvas, columns * wide, this.state.validators.length * high);
    const most = this.weights.reduce((a, b) => Math.max(a, b), 1);
    const [w, h] = [wide - (wide > 5 ? 1 : 0), high - (high > 5 ? 1 : 0)];
    this.weights.forEach((weight, i) => {
      const [x, y] = [(i % columns) * wide, Math.floor(i / columns) * high];
      pen.globalAlpha = weight ? 0.08 + 0.92 * Math.sqrt(weight / most) : 0;
      pen.fillStyle = colours.work;
      pen.fillRect(x, y, w, h);
      if (weight - this.clipped[i] <= CUT) return;
      pen.globalAlpha = 1;
      pen.fillStyle = colours.flag;
      pen.fillRect(x, y + h * 0.7, w, h * 0.3);
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = colours.ink0;
    pen.lineWidth = 1.5;
    pen.strokeRect(this.column * wide, this.row * high, w, h);
  }

  /** @param {PointerEvent & { currentTarget: HTMLCanvasElement }} event */
  #point(event) {
    const { wide, high } = this.size;
    this.#look(Math.floor(event.offsetY / high), Math.floor(event.offsetX / wide));
    this.changed();
  }

  /**
   * Whether a key moved over the picture.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    const by = ways[event.key];
    if (!by) return;
    event.preventDefault();
    this.#look(this.row + by[0], this.column + by[1]);
    this.changed();
  }

  /** @param {number} row @param {number} column */
  #look(row, column) {
    const { validators, miners } = this.state ?? { validators: [], miners: [] };
    this.row = Math.max(0, Math.min(validators.length - 1, row));
    this.column = Math.max(0, Math.min(miners.length - 1, column));
  }
}
