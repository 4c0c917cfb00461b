// The live dashboard of one run: takes the kernel's stream, keeps the store, and redraws what changed, at most once
// a frame. Panels draw; this file wires them to messages, keyboard, theme, size and the replay slider.

import { render as write } from "lit-html";
import { board, boardSentence, flow, standings } from "./board.js";
import { Curve } from "./curve.js";
import { focusPanel } from "./focus.js";
import { frame } from "./frame.js";
import { beside, headline, samples, statusLine } from "./headline.js";
import { greet } from "./heartbeat.js";
import { Miners } from "./miners.js";
import { Store } from "./store.js";
import { tableTwin } from "./table.js";
import { onThemeChange, resolve } from "./theme.js";
import { timeSplit } from "./timesplit.js";
import { WORKS } from "./verdict.js";

/** @import { Model, RenderContext, RunNews, RunState, Standing } from "./types.js" */

const TABLES_EVERY_MS = 500,
  GRID_EVERY_MS = 200,
  CALM_EVERY_MS = 1000,
  LATENCIES_KEPT = 2000;
const ANSWER_EVERY_MS = 120_000,
  ANSWER_EVERY_BYTES = 1024 * 1024;
const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");

class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.header = model.get("header");
    this.store = new Store(this.header);
    /** @type {RunState} */
    this.status = { state: "starting", waiting: this.header.waiting, samples: [], reasons: {} };
    /** @type {number | null} */
    this.chosen = null; // the miner a person focused; until then the best paid one that works
    this.best = 0;
    /** @type {number | null} the round that is looked at again */
    this.replaying = null;
    this.pattern = `sl-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    this.dirty = false;
    this.width = 0;
    this.lastTables = 0;
    this.lastGrid = 0;
    /** @type {number | null} the message that the next picture acknowledges */
    this.pendingAck = null;
    this.sentAt = 0;
    /** @type {ReturnType<typeof setTimeout> | 0} */
    this.tablesDue = 0;
    /** @type {ReturnType<typeof setTimeout> | 0} */
    this.calm = 0;
    this.lastHeard = performance.now();
    this.drawnAt = 0;
    this.answered = { seq: 0, at: -Infinity };
    this.partial = false; // the first part of a long history is here, the rest on its way
    this.stats = { frames: 0, rows: 0, bytes: 0, draws: 0, latencies: /** @type {number[]} */ ([]) };
    write(frame, root);
    const parts = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-part]"));
    /** @type {Record<string, HTMLElement>} */
    this.part = Object.fromEntries([...parts].map((part) => [part.dataset.part, part]));
    this.slider = /** @type {HTMLInputElement} */ (root.querySelector("input[type=range]"));
    this.colours = resolve(root);
    this.curve = new Curve(this.part.curve, this.colours);
    this.miners = new Miners(this.part.miners, { onFocus: (i) => this.focus(i) });
    this.#listen();
    this.rebuild();
  }

  // The run that was being set up has begun: its seats have numbers now.
  begin() {
    this.header = this.model.get("header");
    this.store = new Store(this.header);
    this.rebuild();
  }

  get round() {
    return this.replaying ?? this.store.last;
  }

  rebuild() {
    this.colours = resolve(this.root);
    const column = this.part.curve.clientWidth || this.width || 596; // 0 while the table hides the pictures
    this.width = Math.max(300, Math.min(596, column));
    this.curve.build(this.colours, this.width, this.header.rounds);
    this.miners.build(this.store, this.width);
    this.part["miners-said"].textContent = this.miners.said;
    this.part.question.textContent = this.store.terms.question;
    this.part.unit.textContent = this.store.terms.axis(this.header.unit ?? "");
    this.lastTables = 0;
    this.schedule();
  }

  /**
   * @param {RunNews} message
   * @param {DataView[]} buffers
   */
  receive(message, buffers) {
    this.lastHeard = performance.now();
    if (message.k === "beat") return this.#answer(message.seq); // nothing to draw; a hidden page answers too
    this.pendingAck = message.seq;
    if (message.k === "rows" && (message.miners ?? this.store.uids.length) === this.store.uids.length) {
      const rows = this.store.put(buffers[0]);
      this.stats.frames += 1;
      this.stats.rows += rows;
      this.stats.bytes += buffers[0].byteLength;
      this.partial = (message.more ?? 0) > 0;
      this.sentAt = message.t ?? 0;
    }
    if (message.status) {
      this.status = { ...this.status, ...message.status };
      if (message.k === "status") this.lastTables = 0;
    }
    this.schedule();
  }

  /**
   * Who asked for less motion gets a new picture once a second; what a person does shows at once.
   *
   * @param {boolean} [asked]
   */
  schedule(asked = false) {
    if (this.dirty && !(asked && this.calm)) return;
    clearTimeout(this.calm);
    this.dirty = true;
    const wait = asked || !REDUCED.matches ? 0 : this.drawnAt + CALM_EVERY_MS - performance.now();
    this.calm = wait > 0 ? setTimeout(() => this.#frame(), wait) : 0;
    if (!this.calm) this.#frame();
  }

  #frame() {
    this.calm = 0;
    requestAnimationFrame((now) => {
      this.dirty = false;
      this.drawnAt = now;
      this.draw();
    });
  }

  // The status line tells how long the kernel has been silent; nothing else changes by itself.
  tick() {
    if (["running", "starting"].includes(this.status.state) && !document.hidden) this.#words(this.round);
  }

  draw() {
    const round = this.round;
    this.stats.draws += 1;
    this.#words(round);
    this.curve.draw(this.store, round, this.status.levels ?? []);
    const now = performance.now();
    // Sixty-four small charts cost more than one large one, and no reader follows them twenty times a second.
    if (now - this.lastGrid >= GRID_EVERY_MS || this.lastTables === 0) {
      this.lastGrid = now;
      this.miners.draw(this.store, round, this.focused, this.colours, this.status.reasons);
    }
    if (now - this.lastTables >= TABLES_EVERY_MS) this.#tables(round, now);
    else if (!this.tablesDue)
      this.tablesDue = setTimeout(() => {
        this.tablesDue = 0;
        this.schedule();
      }, TABLES_EVERY_MS);
    if (this.pendingAck !== null) this.#acknowledge(this.pendingAck);
  }

  /** @param {number} round */
  #words(round) {
    const { header, store, status, part } = this;
    const silent = (performance.now() - this.lastHeard) / 1000;
    write(statusLine(header, status, round, silent), part.status);
    const line = headline(header, store, status, round);
    write(line.drawn, part.headline);
    write(line.text, part.spoken);
    if (this.slider.max !== String(Math.max(1, store.last))) this.slider.max = String(Math.max(1, store.last));
    if (this.replaying === null) this.slider.value = String(store.last);
    write(this.replaying === null && status.state === "running" ? "live" : `round ${round}`, part.at);
  }

  /**
   * @param {number} round
   * @param {number} now
   */
  #tables(round, now) {
    if (this.partial) return;
    this.lastTables = now;
    const { part, store, status } = this;
    const rows = standings(store, round, status.reasons);
    const best = bestOf(rows);
    if (best !== this.best) {
      this.best = best;
      this.lastGrid = 0; // the grid marks the miner in focus
      this.schedule();
    }
    write(samples(status, round), part.samples);
    const [heading, caption] = beside(status, store.trains);
    write(heading, part.beside);
    write(caption, part.prompt);
    write(focusPanel(store, round, this.focused), part.focus);
    const steps = store.trains ? this.header.inner_steps : 0;
    write(flow(rows, this.focused, steps, store.terms, this.status.tempo), part.flow);
    write(boardSentence(rows), part.sentence);
    this.#keepFocus(part.board, () => write(board(rows, this.focused, store.terms), part.board));
    const split = timeSplit(store, round, Math.min(900, this.root.clientWidth || 900), this.pattern);
    write(split.sentence, part.seconds);
    write(split.drawn, part.split);
    if (!part.twin.hidden) write(tableTwin(store, rows, round), part.twin);
  }

  /**
   * A row that moves must not throw a keyboard user out.
   *
   * @param {HTMLElement} holder
   * @param {() => void} draw
   */
  #keepFocus(holder, draw) {
    const { activeElement } = document;
    const at =
      activeElement instanceof HTMLElement && holder.contains(activeElement) ? activeElement.dataset.i : undefined;
    draw();
    if (at === undefined || holder.contains(document.activeElement)) return;
    const row = holder.querySelector(`[data-i="${at}"]`);
    if (row instanceof HTMLElement) row.focus();
  }

  /** @param {number} seq */
  #acknowledge(seq) {
    const { sentAt } = this;
    this.pendingAck = null;
    this.sentAt = 0;
    requestAnimationFrame(() => {
      const { latencies } = this.stats;
      if (sentAt) latencies.push((performance.timeOrigin + performance.now()) / 1000 - sentAt);
      if (latencies.length > LATENCIES_KEPT) latencies.splice(0, LATENCIES_KEPT / 2);
      this.#answer(seq);
    });
  }

  /**
   * Every answer makes the kernel busy for a moment. JupyterLab then swaps the page's icon, and Chromium keeps 48 kB
   * of each: few are enough.
   *
   * @param {number} seq
   */
  #answer(seq) {
    const { answered } = this,
      at = performance.now();
    if (at - answered.at < ANSWER_EVERY_MS && seq - answered.seq < ANSWER_EVERY_BYTES) return;
    this.answered = { seq, at };
    this.model.send({ k: "ack", seq });
  }

  get focused() {
    return this.chosen ?? this.best;
  }

  /** @param {number} i */
  focus(i) {
    this.chosen = i;
    this.lastTables = 0;
    this.schedule(true);
  }

  #listen() {
    this.part.board.addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("tr[data-i]");
      if (row instanceof HTMLElement) this.focus(Number(row.dataset.i));
    });
    this.slider.addEventListener("input", () => {
      const round = Number(this.slider.value);
      this.replaying = round >= this.store.last ? null : round;
      this.lastTables = 0;
      this.schedule(true);
    });
    // Keys stop at the widget, so the notebook's command mode never sees them.
    this.root.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const { activeElement } = document;
    if (event.key === "Escape" && activeElement instanceof HTMLElement) activeElement.blur();
    const { i } = /** @type {HTMLElement} */ (event.target).dataset;
    if (event.key === "Enter" && i !== undefined) this.focus(Number(i));
    if (event.key === "t") {
      this.part.twin.hidden = !this.part.twin.hidden;
      this.part.pictures.hidden = !this.part.twin.hidden;
      this.lastTables = 0;
      this.schedule(true);
    }
  }

  destroy() {
    clearTimeout(this.tablesDue);
    clearTimeout(this.calm);
    this.curve.destroy();
  }
}

/** @param {Standing[]} rows */
function bestOf(rows) {
  const works = rows.filter((r) => r.code === WORKS);
  return works.length ? works.reduce((a, b) => (b.paid > a.paid ? b : a)).i : 0;
}

/** @param {RenderContext} props */
function render({ model, el, signal }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "sl";
  const view = new View(model, root);
  const page = /** @type {{ __subnetlab?: View[] }} */ (globalThis);
  page.__subnetlab = [...(page.__subnetlab ?? []), view];
  /**
   * @param {RunNews} message
   * @param {DataView[]} buffers
   */
  const receive = (message, buffers) => {
    if (message.k === "hello") answered();
    else view.receive(message, buffers);
  };
  model.on("msg:custom", receive);
  const begin = () => view.begin();
  model.on("change:header", begin);
  const answered = greet(model);
  // The page's classes change far more often than its colours do.
  const offTheme = onThemeChange(() => {
    if (String(Object.values(resolve(root))) !== String(Object.values(view.colours))) view.rebuild();
  });
  let width = root.clientWidth;
  const size = new ResizeObserver(() => {
    if (root.clientWidth !== width) {
      width = root.clientWidth;
      view.rebuild();
    }
  });
  size.observe(root);
  const pulse = setInterval(() => view.tick(), 500);
  const end = () => {
    model.off("msg:custom", receive);
    model.off("change:header", begin);
    answered();
    offTheme();
    size.disconnect();
    clearInterval(pulse);
    view.destroy();
    page.__subnetlab = page.__subnetlab?.filter((v) => v !== view);
  };
  signal?.addEventListener("abort", end);
  return end;
}

export default { render };
