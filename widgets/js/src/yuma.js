// The steps of an epoch: one at a time with its sentence, a weight that can be moved, and what it moves.
// All numbers come from the kernel, which evaluates again; the page draws and asks.

import { html, nothing, render as write } from "lit-html";
import { flowPicture } from "./flow.js";
import { show } from "./heartbeat.js";
import { Heat } from "./heat.js";
import { movements, shown, stepTable } from "./steps.js";
import { onThemeChange } from "./theme.js";
import { percent } from "./words.js";

/** @import { Model, RenderContext, YumaStage, YumaState } from "./types.js" */

const ASK_AFTER_MS = 60; // a slider moves faster than it need be followed
const MOVES = 4;
const BIG = 0.05;

class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    /** @type {YumaState} */
    this.state = model.get("state");
    this.step = 1;
    this.row = 0;
    this.column = 0;
    this.twin = false;
    this.alive = true;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {number | null} what the slider shows until the kernel has answered */
    this.wanted = null;
    this.heat = new Heat(() => this.draw());
    this.heat.put(this.state.heat);
    this.offTheme = onThemeChange(() => this.heat.paint(this.root, true));
    // Keys stop at the widget, so the notebook's command mode never sees them.
    root.addEventListener("keydown", (event) => this.#key(event));
    this.draw();
  }

  /** @param {YumaState} state */
  update(state) {
    this.state = state;
    this.heat.put(state.heat);
    if (this.timer === undefined) this.wanted = null;
    this.draw();
  }

  /** @param {boolean} alive */
  hear(alive) {
    this.alive = alive;
    this.draw();
  }

  get stage() {
    return this.state.stages[this.step];
  }

  draw() {
    const { state, stage } = this;
    write(
      html`<div class="status"><span><b>Yuma</b> on ${state.where}</span><span class="spacer"></span>
          ${this.alive ? nothing : html`<span><span class="dot half"></span><b>kernel gone</b></span>`}
          <span class="muted">t: all steps as tables</span></div>
        <div ?hidden=${this.twin}>
          <div class="steps" role="tablist" aria-label="Steps">${state.stages.map((one, i) => this.#tab(one, i))}</div>
          <p class="sentence" role="status">${said(stage)}</p>
          <div class="scroll">${stepTable(stage, stage.name === "weights" ? this.#chosen() : null)}</div>
          ${this.#hidden()}${stage.name === "weights" ? this.#slider() : nothing}${this.#moves()}
          <h3>How does stake become pay?</h3>
          <p class="caption">Height is stake; <i class="cut"></i> is what consensus cut off, which reaches no miner</p>
          <div class="scroll">${flowPicture(state, stage.name === "weights" ? this.row : null)}</div>
          ${this.heat.drawn()}
        </div>
        <div ?hidden=${!this.twin}>${this.twin ? state.stages.map(twin) : nothing}</div>`,
      this.root,
    );
    this.heat.paint(this.root);
  }

  /**
   * @param {YumaStage} stage
   * @param {number} i
   */
  #tab(stage, i) {
    const here = i === this.step;
    return html`<button type="button" role="tab" data-step=${i} aria-selected=${here} tabindex=${here ? 0 : -1}
      @click=${() => this.#go(i)}>${i + 1}\u2009${stage.name}</button>`;
  }

  #chosen() {
    const choose = (/** @type {number} */ row, /** @type {number} */ column) => this.#choose(row, column);
    return { row: this.row, column: this.column, live: this.alive, choose };
  }

  #hidden() {
    const [validators, miners] = this.state.hidden;
    if (!validators && !miners) return nothing;
    return html`<p class="muted">and ${validators} more validators and ${miners} more miners, all in the picture below</p>`;
  }

  #slider() {
    const { state, stage } = this;
    if (!state.validators.length) return nothing;
    const share = this.wanted ?? stage.now[this.row]?.[this.column] ?? 0;
    const [validator, miner] = [state.validators[this.row], state.miners[this.column]];
    return html`<div class="slider"><label>Validator ${validator}’s weight for miner ${miner}
        <input type="range" min="0" max="100" step="1" .value=${String(Math.round(share * 100))}
          aria-valuetext=${percent(share)} ?disabled=${!this.alive} @input=${this.#slid.bind(this)}></label>
      <b>${percent(share)}</b>
      <button type="button" class="back" ?disabled=${!this.alive || !state.moved} @click=${() => this.#ask({ k: "back" })}>
        as on the chain</button></div>`;
  }

  #moves() {
    const { state } = this;
    if (!state.moved) {
      const ask = "Choose a weight and move it: the whole epoch is computed again, on your machine alone.";
      return this.stage.name === "weights" ? html`<p class="moves muted">${ask}</p>` : nothing;
    }
    const named = (/** @type {string} */ name) => state.stages.find((one) => one.name === name);
    const parts = ["incentive", "dividends"].map((name) => {
      const stage = named(name);
      const said = stage ? movements(stage, MOVES) : [];
      return html`<span><b>${name}</b> ${said.length ? said.join(", ") : "as before"}</span>`;
    });
    return html`<p class="moves" role="status">${parts}</p>`;
  }

  /** @param {number} step */
  #go(step) {
    this.step = Math.max(0, Math.min(this.state.stages.length - 1, step));
    this.draw();
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  #choose(row, column) {
    const { validators, miners } = this.state;
    this.row = Math.max(0, Math.min(validators.length - 1, row));
    this.column = Math.max(0, Math.min(miners.length - 1, column));
    this.wanted = null;
    this.draw();
  }

  /** @param {InputEvent & { target: HTMLInputElement }} event */
  #slid(event) {
    this.#move(Number(event.target.value) / 100);
  }

  /** @param {number} share */
  #move(share) {
    const { validators, miners } = this.state;
    if (!this.alive || !validators.length) return;
    const weight = Math.max(0, Math.min(1, share));
    const asked = { k: "move", validator: validators[this.row], miner: miners[this.column], weight };
    this.wanted = weight;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.model.send(asked);
    }, ASK_AFTER_MS);
  }

  /** @param {object} asked */
  #ask(asked) {
    this.wanted = null;
    this.model.send(asked);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape") target.blur();
    if (target instanceof HTMLInputElement) return;
    if (event.key === "t") {
      this.twin = !this.twin;
      this.draw();
      return;
    }
    if (target instanceof HTMLCanvasElement) this.heat.key(event);
    if (target.dataset.step !== undefined) this.#onTab(event);
    if (target.dataset.cell !== undefined) this.#onCell(event);
  }

  /** @param {KeyboardEvent} event */
  #onTab(event) {
    const last = this.state.stages.length - 1;
    const to = { ArrowRight: this.step + 1, ArrowLeft: this.step - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#go(to);
    this.#focus(`[data-step="${this.step}"]`);
  }

  /** @param {KeyboardEvent} event */
  #onCell(event) {
    const { row, column } = this;
    const share = this.wanted ?? this.stage.now[row]?.[column] ?? 0;
    const change = { "+": BIG, "=": BIG, "-": -BIG }[event.key];
    if (change !== undefined) {
      event.preventDefault();
      this.#move(share + change);
      return;
    }
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    const by = ways[event.key];
    if (!by) return;
    event.preventDefault();
    this.#choose(row + by[0], column + by[1]);
    this.#focus(`[data-cell="${this.row},${this.column}"]`);
  }

  /** @param {string} selector */
  #focus(selector) {
    /** @type {HTMLElement | null} */ (this.root.querySelector(selector))?.focus();
  }

  destroy() {
    clearTimeout(this.timer);
    this.offTheme();
  }
}

/**
 * A step's sentence; a number and its sign stay on one line.
 *
 * @param {YumaStage} stage
 */
const said = (stage) => stage.sentence.replaceAll(" %", "\u2009%");

/**
 * A step in the table twin: its sentence and its numbers without tints.
 *
 * @param {YumaStage} stage
 * @param {number} i
 */
function twin(stage, i) {
  const heads = stage.columns.map((uid) => html`<th scope="col">${uid}</th>`);
  const rows = stage.now.map(
    (row, r) => html`<tr><th scope="row" class="text">${stage.rows.length ? `by ${stage.rows[r]}` : nothing}</th>
      ${row.map((value) => html`<td>${shown(stage, value)}</td>`)}</tr>`,
  );
  return html`<h3>${i + 1}\u2009${stage.name}</h3><p class="sentence">${said(stage)}</p>
    <div class="scroll"><table class="plain"><thead><tr><th class="text">uid</th>${heads}</tr></thead>
      <tbody>${rows}</tbody></table></div>`;
}

/** @param {RenderContext} context */
export function renderYuma(context) {
  const { model } = context;
  return show(context, "yuma", (root) => {
    root.tabIndex = -1;
    const view = new View(model, root);
    return {
      alive: (heard) => view.hear(heard),
      update: () => view.update(model.get("state")),
      end: () => view.destroy(),
    };
  });
}
