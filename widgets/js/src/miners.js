// "Who does the work?": small multiples of loss removed per round, one shared scale, the fleet's median in grey.
// One canvas draws all of them; buttons over it carry the words, the focus ring and the keyboard.

import { median } from "./store.js";
import { context } from "./theme.js";
import { FLAGGED, GONE, verdictOf, verdictWithReason } from "./verdict.js";

/** @import { Store } from "./store.js" */
/** @import { Terms } from "./terms.js" */
/** @import { Colours } from "./types.js" */

/** @typedef {{ x: number, y: number, w: number, h: number }} Box in CSS pixels */
/** @typedef {{ low: number, high: number, zero: number }} Scale of all small charts; `zero` is a share of the height */
/** @typedef {{ code: number, focused: boolean, many?: boolean }} Look */

/** Up to this many miners each has its number and the median beside its line: three lines of four. */
const FEW = 12;

/** @param {number} n */
const layoutFor = (n) => {
  if (n <= FEW) return { columns: 4, height: 48, gapX: 16, gapY: 10, label: 14 };
  if (n <= 64) return { columns: 16, height: 24, gapX: 5, gapY: 9, label: 14 };
  return { columns: 32, height: 16, gapX: 3, gapY: 3, label: 0 };
};

export class Miners {
  /**
   * @param {HTMLElement} root
   * @param {{ onFocus: (i: number) => void }} props
   */
  constructor(root, { onFocus }) {
    this.onFocus = onFocus;
    this.holder = root.appendChild(document.createElement("div"));
    this.holder.className = "miners";
    this.canvas = this.holder.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("aria-hidden", "true");
    /** @type {(HTMLButtonElement & { said?: string })[]} */
    this.buttons = [];
    /** @type {Terms | undefined} */
    this.terms = undefined;
    this.shape = { ...layoutFor(0), cell: 0, pitch: 0, width: 0, total: 0 };
    this.holder.setAttribute("role", "listbox");
    this.holder.setAttribute("aria-label", "Miners");
    this.holder.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {Store} store
   * @param {number} width
   */
  build(store, width) {
    this.terms = store.terms;
    const shape = layoutFor(store.uids.length);
    const cell = (width - shape.gapX * (shape.columns - 1)) / shape.columns;
    const pitch = shape.height + shape.label + shape.gapY;
    this.shape = { ...shape, cell, pitch, width, total: Math.ceil(store.uids.length / shape.columns) * pitch };
    for (const button of this.buttons) button.remove();
    this.buttons = store.uids.map((uid, i) => {
      const button = this.holder.appendChild(document.createElement("button"));
      const { x, y } = this.#place(i);
      button.type = "button";
      button.setAttribute("role", "option");
      button.style.cssText = `left:${x}px;top:${y}px;width:${cell}px;height:${shape.height + shape.label}px`;
      button.addEventListener("click", () => this.onFocus(i));
      button.dataset.uid = String(uid);
      if (shape.label)
        for (const text of [`${store.uids.length <= FEW ? "uid " : ""}${uid}`, ""]) {
          button.appendChild(document.createElement("span")).textContent = text;
        }
      return button;
    });
    this.holder.style.height = `${this.shape.total}px`;
  }

  // What is drawn, in words.
  get said() {
    const what = this.terms?.work ?? "";
    if (!this.shape.label) return `${what} in this round: the darker, the more`;
    return `${what}, round by round${this.buttons.length <= FEW ? "; grey is the median" : ""}`;
  }

  /** @param {number} i */
  #place(i) {
    const { columns, cell, gapX, pitch } = this.shape;
    return { x: (i % columns) * (cell + gapX), y: Math.floor(i / columns) * pitch };
  }

  /**
   * @param {Store} store
   * @param {number} round
   * @param {number} focused
   * @param {Colours} colours
   * @param {Record<string, string>} reasons
   */
  draw(store, round, focused, colours, reasons) {
    const { width, total, height, label, cell } = this.shape;
    const ctx = context(this.canvas, width, total);
    const histories = store.uids.map((_, i) => store.sampled("loss_removed", i, round, 2 * cell));
    const shared = scaleOf(histories);
    const grey = store.uids.length <= FEW ? medianLine(histories) : null;
    store.uids.forEach((uid, i) => {
      const code = verdictOf(store.at(round, "verdict", i));
      const { x, y } = this.#place(i);
      const box = { x, y: y + label, w: cell, h: height };
      if (label === 0) this.#tint(ctx, box, histories[i].at(-1), shared, { code, focused: i === focused }, colours);
      else
        this.#lines(
          ctx,
          box,
          histories[i],
          grey,
          shared,
          { code, focused: i === focused, many: grey === null },
          colours,
        );
      this.#label(i, uid, code, store.at(round, "loss_removed", i), i === focused, reasons[uid]);
    });
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Box} box
   * @param {number[]} history
   * @param {number[] | null} grey
   * @param {Scale} shared
   * @param {Look} look
   * @param {Colours} colours
   */
  #lines(ctx, box, history, grey, shared, look, colours) {
    rule(ctx, box.x, box.y + box.h - shared.zero * box.h, box.w, colours.hair);
    if (grey) stroke(ctx, box, grey, shared, colours.mark, 1);
    const flagged = look.code === FLAGGED;
    const colour = flagged ? colours.flag : look.focused || !look.many ? colours.work : colours.ink2;
    stroke(ctx, box, history, shared, colour, flagged || look.focused ? 2 : look.many ? 0.9 : 1.3);
  }

  /**
   * One cell a seat: tinted by what it removed, a diamond where it is refused, a cross where it is gone.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Box} props
   * @param {number | undefined} value
   * @param {Scale} shared
   * @param {Look} props
   * @param {Colours} colours
   */
  #tint(ctx, { x, y, w, h }, value, shared, { code, focused }, colours) {
    const there = code !== GONE && code !== FLAGGED;
    ctx.fillStyle = there ? colours.work : colours.hair;
    ctx.globalAlpha = there ? 0.08 + 0.6 * Math.max(0, (value || 0) / shared.high) : 0.5;
    ctx.fillRect(x, y, w, h);
    ctx.globalAlpha = 1;
    const [cx, cy, r] = [x + w / 2, y + h / 2, Math.min(w, h) / 2 - 2];
    ctx.beginPath();
    if (code === FLAGGED) {
      ctx.fillStyle = colours.flag;
      [
        [cx, cy - r],
        [cx + r, cy],
        [cx, cy + r],
        [cx - r, cy],
      ].forEach(([px, py]) => {
        ctx.lineTo(px, py);
      });
      ctx.fill();
    } else if (code === GONE) {
      ctx.strokeStyle = colours.ink2;
      ctx.lineWidth = 1.4;
      for (const s of [-1, 1]) {
        ctx.moveTo(cx - r * 0.7, cy - s * r * 0.7);
        ctx.lineTo(cx + r * 0.7, cy + s * r * 0.7);
      }
      ctx.stroke();
    }
    if (!focused) return;
    ctx.strokeStyle = colours.ink0;
    ctx.lineWidth = 1.6;
    ctx.strokeRect(x + 0.8, y + 0.8, w - 1.6, h - 1.6);
  }

  /**
   * @param {number} i
   * @param {number | string} uid
   * @param {number} code
   * @param {number} removed
   * @param {boolean} focused
   * @param {string} [reason]
   */
  #label(i, uid, code, removed, focused, reason) {
    const button = this.buttons[i];
    const few = this.buttons.length <= FEW;
    const mark = code === GONE ? "×" : code === FLAGGED ? "◆" : few ? (this.terms?.shown(removed) ?? "") : "";
    const said = `${uid} ${code} ${focused} ${reason} ${few ? mark : ""}`;
    if (button.said === said) return;
    button.said = said;
    const last = button.lastElementChild;
    if (this.shape.label && last) last.textContent = mark;
    button.classList.toggle("bad", code === FLAGGED);
    button.setAttribute("aria-selected", String(focused));
    button.tabIndex = focused ? 0 : -1;
    button.title = `uid ${uid}: ${verdictWithReason(code, reason)}`;
    button.setAttribute("aria-label", button.title);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const here = this.buttons.findIndex((button) => button === (document.activeElement ?? event.target));
    const { columns } = this.shape;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -here,
      End: this.buttons.length - 1 - here,
    };
    if (here < 0 || !(event.key in moves)) return;
    const next = Math.min(this.buttons.length - 1, Math.max(0, here + moves[event.key]));
    this.onFocus(next);
    this.buttons[next].focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * @param {number[][]} histories
 * @returns {Scale}
 */
function scaleOf(histories) {
  let low = 0,
    high = 1e-6;
  for (const history of histories)
    for (const v of history) {
      if (v > high) high = v;
      if (v < low) low = v;
    }
  low = Math.max(low, -0.25 * high);
  return { low, high, zero: -low / (high - low) };
}

/** @param {number[][]} histories */
function medianLine(histories) {
  return histories[0].map((_, r) => median(histories.map((h) => h[r])));
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} w
 * @param {string} colour
 */
function rule(ctx, x, y, w, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + w, y);
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Box} box
 * @param {number[]} values
 * @param {Scale} props
 * @param {string} colour
 * @param {number} width
 */
function stroke(ctx, box, values, { low, high }, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  let pen = false;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (Number.isNaN(v)) {
      pen = false;
      continue;
    }
    const x = box.x + (i / Math.max(1, values.length - 1)) * box.w;
    const y = box.y + box.h - 1 - ((Math.max(v, low) - low) / (high - low)) * (box.h - 2);
    if (pen) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    pen = true;
  }
  ctx.stroke();
}
