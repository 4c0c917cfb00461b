// The explorer of a chain: the newest blocks as they come, and below them what was opened or looked for.
// A list under the pointer, or scrolled, is held still: newer blocks wait until it is let go.

import { html, nothing, render as write } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { counted, mark } from "./following.js";
import { show } from "./heartbeat.js";
import { accountPanel, blockPanel } from "./holds.js";
import { badge } from "./money.js";

/** @import { AccountState, BlockRow, BlockState, ExplorerMessage, Model, RenderContext } from "./types.js" */

const ANSWER_EVERY = 20; // messages; each answer costs the notebook's page memory and a redraw
const KEPT = 240;

class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.page = Math.random().toString(36).slice(2);
    this.turn = 0;
    /** @type {{ network: string, real: boolean }} */
    this.header = model.get("header");
    /** @type {Map<number, BlockRow>} */
    this.rows = new Map();
    this.head = -1;
    /** @type {number | null} the newest block of a list that is held still */
    this.held = null;
    /** @type {BlockState | null} */
    this.block = null;
    /** @type {AccountState | null} */
    this.account = null;
    /** @type {Set<number>} the extrinsics that are unfolded */
    this.unfolded = new Set();
    this.at = -1; // the row that Tab reaches
    this.asked = "";
    this.sentence = "";
    this.state = "live";
    this.reason = "";
    this.alive = true;
    this.due = false;
    this.seen = 0;
    this.answered = 0;
    // Keys stop at the widget, so the notebook's command mode never sees them.
    root.addEventListener("keydown", (event) => this.#key(event));
    this.draw();
  }

  /** @param {ExplorerMessage} message */
  receive(message) {
    if (message.k === "state") {
      this.state = message.state;
      this.reason = message.reason;
    } else if (message.k === "blocks") this.#take(message);
    else if (message.k !== "beat" && message.page === this.page && message.turn === this.turn) this.#answer(message);
    this.schedule();
  }

  /** @param {Extract<ExplorerMessage, { k: "blocks" }>} message */
  #take({ seq, fresh, rows }) {
    if (fresh) {
      this.rows.clear();
      this.held = null;
    }
    for (const row of rows) this.rows.set(row[0], row);
    const numbers = [...this.rows.keys()].sort((a, b) => b - a);
    for (const number of numbers.slice(KEPT)) this.rows.delete(number);
    this.head = numbers[0] ?? -1;
    this.seen = seq;
  }

  /** @param {Exclude<ExplorerMessage, { k: "blocks" | "state" | "beat" }>} message */
  #answer(message) {
    this.asked = "";
    this.sentence = message.k === "none" ? message.sentence : "";
    if (message.k === "block") {
      this.block = message.block;
      this.account = null;
      const sent = message.block.extrinsics.filter((each) => each.by);
      const one = message.index ?? (sent.length === 1 ? sent[0].i : null);
      this.unfolded = new Set(one === null ? [] : [one]);
    }
    if (message.k === "account") {
      this.account = message.account;
      this.block = null;
    }
  }

  /** @param {boolean} alive */
  hear(alive) {
    this.alive = alive;
    this.schedule();
  }

  schedule() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.draw();
    });
  }

  /** @param {object} question @param {string} words */
  ask(question, words) {
    this.turn += 1;
    this.asked = words;
    this.sentence = "";
    this.model.send({ ...question, page: this.page, turn: this.turn });
    this.schedule();
  }

  /** @param {number} number */
  open(number) {
    this.at = number;
    this.ask({ k: "open", number }, `reading block ${number}`);
  }

  get shown() {
    const last = this.held ?? this.head;
    return [...this.rows.values()].filter((row) => row[0] <= last).sort((a, b) => b[0] - a[0]);
  }

  draw() {
    const rows = this.shown;
    if (!rows.some((row) => row[0] === this.at)) this.at = rows[0]?.[0] ?? -1;
    const newer = this.held === null ? 0 : this.head - this.held;
    write(
      html`<div class="status">${mark(this, this.head >= 0)}
          <span><b>Blocks</b> of ${this.header.network}</span>
          <span class="muted" role="status">${newer ? `${newer} newer` : nothing}</span>
          <span class="spacer"></span><span>block <b>${this.head < 0 ? "–" : this.head}</b></span>
          ${badge(this.header.real, this.header.network)}</div>
        <form class="tools" @submit=${this.#find.bind(this)}>
          <input type="search" aria-label="A block's number, a hash or an address" spellcheck="false" maxlength="200"
            autocomplete="off" placeholder="number, hash or address"><button ?disabled=${!this.alive}>Find</button>
          <span class="muted" role="status">${this.asked || this.sentence}</span></form>
        <div class="scroll many" @scroll=${this.#scrolled.bind(this)} @focusout=${this.#scrolled.bind(this)}>
          <table class="sheet" aria-label="Newest blocks"><thead><tr><th scope="col">block</th><th scope="col"
            class="text">UTC</th><th scope="col" class="text">sent</th><th scope="col">extrinsics</th><th
            scope="col">failed</th><th scope="col">events</th></tr></thead>
            <tbody @pointerenter=${() => this.#hold(true)} @pointerleave=${() => this.#hold(false)}>
              ${repeat(
                rows,
                (row) => row[0],
                (row, i) => this.#row(row, rows[i + 1]),
              )}${this.#older(rows)}</tbody></table></div>
        ${this.#panel()}`,
      this.root,
    );
    if (this.seen - this.answered >= ANSWER_EVERY) {
      this.answered = this.seen;
      this.model.send({ k: "ack", seq: this.seen });
    }
  }

  /** @param {BlockRow} row @param {BlockRow | undefined} below */
  #row([number, , time, sent, count, failed, events], below) {
    const missing = below ? number - below[0] - 1 : 0;
    const here = this.block?.number === number;
    return html`<tr tabindex=${number === this.at ? 0 : -1} data-number=${number} aria-selected=${here}
        class=${failed ? "bad" : ""} @click=${() => this.open(number)}>
        <td>${number}</td><td class="text">${time}</td><td class="text sent">${sent || "–"}</td>
        <td>${count}</td><td>${failed ? html`<i aria-hidden="true">◆</i> ${failed}` : 0}</td><td>${events}</td></tr>
      ${missing ? html`<tr class="fold"><td colspan="6">${counted(missing, "block")} in between were not read</td></tr>` : nothing}`;
  }

  /** @param {BlockRow[]} rows */
  #older(rows) {
    const oldest = rows.at(-1)?.[0] ?? 0;
    if (oldest <= 0 || rows.length >= KEPT) return nothing;
    return html`<tr class="fold"><td colspan="6"><button type="button" class="link" ?disabled=${!this.alive}
      @click=${() => this.ask({ k: "older", number: oldest }, "reading earlier blocks")}>earlier blocks</button></td></tr>`;
  }

  #panel() {
    if (this.block) {
      return blockPanel(this.block, {
        unfolded: this.unfolded,
        live: this.alive,
        open: (number) => this.open(number),
        turn: (i) => {
          if (!this.unfolded.delete(i)) this.unfolded.add(i);
          this.schedule();
        },
        find: (text) => this.ask({ k: "find", text }, "looking through the newest blocks"),
      });
    }
    return this.account ? accountPanel(this.account, this.alive, (number) => this.open(number)) : nothing;
  }

  /** @param {SubmitEvent} event */
  #find(event) {
    event.preventDefault();
    const text = this.root.querySelector("input")?.value.trim();
    if (text) this.ask({ k: "find", text }, "looking");
  }

  /** @param {boolean} over */
  #hold(over) {
    const top = this.root.querySelector(".scroll")?.scrollTop ?? 0;
    this.held = over || top > 0 ? (this.held ?? this.head) : null;
    this.schedule();
  }

  #scrolled() {
    this.#hold(this.root.querySelector("tbody")?.matches(":hover") ?? false);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape") target.blur();
    if (target.dataset.number === undefined) return;
    const numbers = this.shown.map((row) => row[0]);
    const at = numbers.indexOf(this.at);
    if (event.key === "Enter") this.open(this.at);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: numbers.length - 1 }[event.key];
    if (to === undefined || numbers[to] === undefined) return;
    event.preventDefault();
    this.held ??= this.head;
    this.at = numbers[to];
    this.draw();
    /** @type {HTMLElement | null} */ (this.root.querySelector(`tr[data-number="${this.at}"]`))?.focus();
  }
}

/** @param {RenderContext} context */
export function renderExplorer(context) {
  return show(context, "explorer", (root) => {
    const view = new View(context.model, root);
    return {
      alive: (heard) => view.hear(heard),
      answers: (message) => message.k !== "beat",
      receive: (message) => view.receive(message),
    };
  });
}
