// The live table of a subnet's seats: takes the kernel's news, draws the rows that can be seen, sorts and filters here.
// Rows are ordered anew when an epoch has paid or a person asks, never under the pointer.

import { html, nothing, render as write } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { counted, mark } from "./following.js";
import { show } from "./heartbeat.js";
import { badge } from "./money.js";
import { rowOf } from "./row.js";
import { COLUMNS, MetagraphRows, ROW_PX } from "./rows.js";

/** @import { MetagraphHeader, MetagraphNews, Model, RenderContext } from "./types.js" */

const ANSWER_EVERY = 20; // messages; each answer costs the notebook's page memory and a redraw
const SHOWN_AT_ONCE = 11; // more rows than this scroll, under a header that stays

class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    /** @type {MetagraphHeader} */
    this.header = model.get("header");
    this.rows = new MetagraphRows(this.header.fields);
    this.state = "live";
    this.reason = "";
    this.alive = true;
    this.due = false;
    this.late = false;
    this.stop = COLUMNS[0].key; // the header that Tab reaches; the arrows move between them
    this.seen = 0;
    this.answered = 0;
    // Keys stop at the widget, so the notebook's command mode never sees them.
    root.addEventListener("keydown", (event) => this.#key(event));
    this.draw();
  }

  /** @param {MetagraphNews | { k: "state", state: string, reason: string } | { k: "beat" }} message */
  receive(message) {
    if (message.k === "state") {
      this.state = message.state;
      this.reason = message.reason;
    }
    if (message.k === "rows") {
      const stale = this.rows.put(message);
      if (message.fresh || this.rows.order.length !== this.rows.rows.length) this.rows.arrange();
      else if (stale) this.late = true;
      this.seen = message.seq;
    }
    this.schedule();
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

  draw() {
    const { rows } = this;
    if (this.late && !this.root.querySelector("tbody")?.matches(":hover")) {
      this.late = false;
      rows.arrange();
    }
    const many = rows.rows.length > SHOWN_AT_ONCE;
    const again = this.schedule.bind(this);
    write(
      html`<div class="status">${this.#status()}</div>
        <div class="tools" ?hidden=${!many}>
          <input type="search" aria-label="Filter seats by uid, hotkey or role" placeholder="filter: uid, hotkey, role"
            spellcheck="false" @input=${this.#filter.bind(this)}>
          <span class="muted" role="status">
            ${rows.filter ? `${rows.order.length} of ${rows.rows.length}` : nothing}</span>
        </div>
        <div class="scroll ${many ? "many" : ""}" tabindex=${many ? 0 : nothing} @scroll=${again}>
          <table class="sheet" aria-rowcount=${rows.order.length + 1}>
            <thead><tr>${COLUMNS.map((column) => this.#head(column))}</tr></thead>
            <tbody @pointerleave=${again}>${this.#body(many)}</tbody>
          </table>
        </div>`,
      this.root,
    );
    if (this.seen - this.answered >= ANSWER_EVERY) {
      this.answered = this.seen;
      this.model.send({ k: "ack", seq: this.seen });
    }
  }

  /** @param {import("./rows.js").Column} column */
  #head({ key, name, words, why }) {
    const { sort } = this.rows;
    const sorted = sort.way > 0 ? ["ascending", " ▴"] : ["descending", " ▾"];
    const [said, mark] = key === sort.key ? sorted : ["none", ""];
    const look = `${words ? "text" : ""} ${key === "paid" ? "spaced" : ""}`;
    return html`<th scope="col" class=${look} data-key=${key} aria-sort=${said}>
      <button type="button" tabindex=${key === this.stop ? 0 : -1} title=${why ?? ""}
        @click=${() => this.#turn(key)}>${name}<i aria-hidden="true">${mark}</i></button></th>`;
  }

  /** @param {boolean} many */
  #body(many) {
    const { rows } = this;
    const top = this.root.querySelector(".scroll")?.scrollTop ?? 0;
    const { from, to, above, below } = many
      ? rows.window(top, SHOWN_AT_ONCE * ROW_PX)
      : { from: 0, to: rows.order.length, above: 0, below: 0 };
    const scale = rows.scale;
    const shown = rows.order.slice(from, to).map((uid, i) => ({ uid, place: from + i }));
    const none = rows.rows.length && !rows.order.length;
    return html`${gap(above)}
      ${repeat(
        shown,
        ({ uid }) => uid,
        ({ uid, place }) => rowOf(rows, rows.rows[uid], scale, place),
      )}
      ${gap(below)}${none ? html`<tr class="fold"><td colspan=${COLUMNS.length}>No seat matches</td></tr>` : nothing}`;
  }

  #status() {
    const { rows, header } = this;
    return html`${mark(this, rows.rows.length > 0)}
      <span><b>${counted(rows.rows.length, "seat")}</b> on netuid ${header.netuid}</span>
      <span>${counted(rows.count("validator"), "validator")}, ${counted(rows.count("miner"), "miner")}</span>
      <span class="spacer"></span><span>block <b>${rows.block}</b></span>${badge(header.real, header.network)}`;
  }

  /** @param {InputEvent & { target: HTMLInputElement }} event */
  #filter(event) {
    this.rows.filter = event.target.value;
    this.rows.arrange();
    this.root.querySelector(".scroll")?.scrollTo({ top: 0 });
    this.schedule();
  }

  /** @param {string} key */
  #turn(key) {
    this.rows.turn(key);
    this.stop = key;
    this.schedule();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const { activeElement } = document;
    if (event.key === "Escape") {
      if (activeElement instanceof HTMLElement) activeElement.blur();
      return;
    }
    const heads = [...this.root.querySelectorAll("th")];
    const at = heads.findIndex((th) => th.contains(/** @type {Node} */ (event.target)));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: heads.length - 1 }[event.key];
    const head = at < 0 || to === undefined ? undefined : heads[to];
    if (!head) return;
    event.preventDefault();
    this.stop = head.dataset.key ?? this.stop;
    head.querySelector("button")?.focus();
    this.schedule();
  }
}

/** @param {number} height */
const gap = (height) =>
  height
    ? html`<tr class="gap" aria-hidden="true"><td colspan=${COLUMNS.length} style="height:${height}px"></td></tr>`
    : nothing;

/** @param {RenderContext} context */
export function renderMetagraph(context) {
  return show(context, "metagraph", (root) => {
    const view = new View(context.model, root);
    return {
      alive: (heard) => view.hear(heard),
      answers: (message) => message.k !== "beat",
      receive: (message) => view.receive(message),
    };
  });
}
