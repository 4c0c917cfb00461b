// The attacks on a run: a row per miner with the marks of its rounds, and below it what the gate saw of one of them.
// Taken is up and blue, shut out is down and orange, refused before a trial is down and hollow, missed is a dot.

import { html, nothing, svg, render as write } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { show } from "./heartbeat.js";
import { fixed, lossChange, percent } from "./words.js";

/** @import { AttackMiner, AttackState, Model, RenderContext, SeenRound } from "./types.js" */

const STRIP_PX = 220;
const WIDE = 900;
const HIGH = 170;
const LEFT = 70;
const FOOT = 20;
const LEAST = -1.5; // shares of the median update's effect
const MOST = 2.5;
const MARK_WORDS = { t: "taken", o: "shut out", r: "refused", m: "missed", u: "not tried" };

class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    /** @type {AttackState} */
    this.state = model.get("state");
    this.uid = this.state.miners[0]?.uid ?? -1;
    this.twin = false;
    this.alive = true;
    // Keys stop at the widget, so the notebook's command mode never sees them.
    root.addEventListener("keydown", (event) => this.#key(event));
    this.draw();
  }

  /** @param {AttackState} state */
  update(state) {
    this.state = state;
    if (!state.miners.some((one) => one.uid === this.uid)) this.uid = state.miners[0]?.uid ?? -1;
    this.draw();
  }

  /** @param {boolean} alive */
  hear(alive) {
    this.alive = alive;
    this.draw();
  }

  draw() {
    const { state } = this;
    const chosen = state.miners.find((one) => one.uid === this.uid);
    const most = Math.max(1e-9, ...state.miners.map((one) => one.paid));
    const gone = html`<span><span class="dot half"></span><b>kernel gone</b></span>`;
    write(
      html`<div class="status">${this.alive || state.ended ? nothing : gone}<span><b>Attacks</b> on ${state.run}</span>
          <span>${state.ended ? "after" : "live,"} round <b>${state.round}</b></span><span class="spacer"></span>
          <span class="muted">t: the rounds as a table</span></div>
        <h2 role="status">${thin(state.headline)}</h2>
        ${state.judges.map(
          ([uid, role, does, paid]) =>
            html`<p class="muted"><i class="diamond"></i> validator ${uid}, a ${role}: ${does}; paid ${fixed(paid, 3)} α</p>`,
        )}
        <div class="scroll"><table class="sheet" aria-label="Miners"><thead><tr><th scope="col">uid</th><th scope="col"
          class="text">started as</th><th scope="col" class="text">rounds ${state.first} to ${Math.max(state.round, state.first)}</th>
          <th scope="col">taken</th><th scope="col">first shut out</th><th scope="col">last taken</th><th
          scope="col">α paid</th><th scope="col">of honest median</th></tr></thead><tbody>
          ${repeat(
            state.miners,
            (one) => one.uid,
            (one) => this.#row(one, most),
          )}</tbody></table></div>
        ${state.hidden ? html`<p class="muted">and ${state.hidden} more miners: run.attacks().frame</p>` : nothing}
        ${chosen ? this.#seen(chosen) : nothing}`,
      this.root,
    );
  }

  /**
   * @param {AttackMiner} one
   * @param {number} most
   */
  #row(one, most) {
    const here = one.uid === this.uid;
    return html`<tr class=${one.bad ? "bad" : ""} data-uid=${one.uid} tabindex=${here ? 0 : -1} aria-selected=${here}
      @click=${() => this.#choose(one.uid)}><td><i class=${one.bad ? "diamond" : "disc"}></i>${one.uid}</td>
      <td class="text" title=${one.does}>${one.role}</td><td class="text">${this.#strip(one)}</td>
      <td>${one.taken} of ${one.judged}</td><td>${one.out ?? "–"}</td><td>${one.last ?? "–"}</td>
      <td><svg class="pay" width="60" height="10" aria-hidden="true"><path d="M.5 0V10"/><rect x="1" y="1.5" height="7"
        width=${((one.paid / most) * 59).toFixed(1)}></rect></svg>${fixed(one.paid, 3)}</td>
      <td>${one.share === null ? "–" : percent(one.share)}</td></tr>`;
  }

  /** @param {AttackMiner} one */
  #strip(one) {
    const { first, round } = this.state;
    const step = Math.min(12, STRIP_PX / Math.max(1, round - first + 1));
    const wide = Math.max(1, step - 1);
    const marks = one.rounds.map(([number, mark]) => {
      const x = ((number - first) * step).toFixed(1);
      if (mark === "t") return svg`<rect class="taken" x=${x} y="1" width=${wide} height="8"/>`;
      if (mark === "o") return svg`<rect class="out" x=${x} y="11" width=${wide} height="8"/>`;
      if (mark === "r")
        return svg`<rect class="refused" x=${Number(x) + 0.5} y="11.5" width=${wide - 1 || 1} height="7"/>`;
      return svg`<rect class="missed" x=${x} y="9" width=${wide} height="2"/>`;
    });
    const said = `${one.taken} of ${one.judged} rounds taken`;
    return html`<svg class="strip" width=${STRIP_PX} height="20" role="img" aria-label=${said}>
      <path d="M0 10H${STRIP_PX}"/>${marks}</svg>`;
  }

  /** @param {AttackMiner} one */
  #seen(one) {
    const does = one.does ? ` Uid ${one.uid} ${one.does}.` : "";
    const key = html`<i class="disc"></i> taken <i class="diamond"></i> shut out <i class="bar"></i> noise of the
      measurement`;
    return html`<h3>What did the ${this.state.trains ? "gate" : "judges"} see of uid ${one.uid}?</h3>
      <p class="caption">${this.state.trains ? "Loss that its updates removed on held-out data" : "Scores of its answers"}, beside the
        median’s; earlier rounds count too.${does}</p>
      ${this.twin ? html`<div class="scroll many">${table(one, this.state)}</div>` : html`<div class="scroll">${signal(one, this.state)}</div><p class="caption">${key}</p>`}
      ${one.reason ? html`<p class="reason">${thin(one.reason)}</p>` : nothing}`;
  }

  /** @param {number} uid */
  #choose(uid) {
    this.uid = uid;
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape") target.blur();
    if (event.key === "t") {
      this.twin = !this.twin;
      this.draw();
      return;
    }
    if (target.dataset.uid === undefined) return;
    const { miners } = this.state;
    const at = miners.findIndex((one) => one.uid === this.uid);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: miners.length - 1 }[event.key];
    if (to === undefined || !miners[to]) return;
    event.preventDefault();
    this.#choose(miners[to].uid);
    /** @type {HTMLElement | null} */ (this.root.querySelector(`tr[data-uid="${this.uid}"]`))?.focus();
  }
}

/**
 * A number and its sign stay on one line.
 *
 * @param {string} text
 */
const thin = (text) => text.replaceAll(" %", "\u2009%");

/**
 * Signal beside noise, as shares of what the median update of the round removed, because the gate compares these;
 * what lies outside the picture is drawn at its edge.
 *
 * @param {AttackMiner} one
 * @param {AttackState} state
 */
function signal(one, { first, round, medians, gate }) {
  const measured = one.rounds.filter(([number, , removed]) => removed !== null && medians[number] > 0);
  if (!measured.length) return html`<p class="muted">Nothing of it was tried on data.</p>`;
  const last = Math.max(round, first + 1);
  /** @param {number} number */
  const x = (number) => LEFT + 8 + ((number - first) / (last - first)) * (WIDE - LEFT - 20);
  /** @param {number} share */
  const y = (share) => 8 + ((MOST - Math.max(LEAST, Math.min(MOST, share))) / (MOST - LEAST)) * (HIGH - FOOT - 16);
  /** @param {number} share @param {string} look @param {string} words */
  const level = (share, look, words) => svg`<path class=${look} d="M${LEFT} ${y(share)}H${WIDE}"/>
    <text x=${LEFT - 6} y=${y(share) + 4} text-anchor="end">${words}</text>`;
  const ratio = (measured.at(-1)?.[2] ?? 0) / medians[measured.at(-1)?.[0] ?? 0];
  const said = `uid ${one.uid} in ${measured.length} rounds, last ${percent(Math.max(0, ratio))} of the median`;
  return html`<svg class="signal" viewBox="0 0 ${WIDE} ${HIGH}" width="100%" role="img" aria-label=${said}>
    ${level(1, "median", "median")}${level(0, "zero", "none")}
    ${gate === null ? nothing : level(gate, "gate", `gate ${Math.round(gate * 100)}\u2009%`)}
    ${measured.map(([number, mark, removed, noise]) => point(x(number), y, mark, (removed ?? 0) / medians[number], noise === null ? null : noise / medians[number]))}
    <text x=${x(first)} y=${HIGH - 4}>round ${first}</text><text x=${x(last)} y=${HIGH - 4}
      text-anchor="end">${last}</text></svg>`;
}

/**
 * @param {number} x
 * @param {(share: number) => number} y
 * @param {SeenRound[1]} mark
 * @param {number} share
 * @param {number | null} noise
 */
function point(x, y, mark, share, noise) {
  const at = y(share);
  const whisker =
    noise === null ? nothing : svg`<path class="noise" d="M${x} ${y(share + noise)}V${y(share - noise)}"/>`;
  const shape =
    mark === "t"
      ? svg`<circle class="taken" cx=${x} cy=${at} r="3"/>`
      : svg`<path class="out" d="M${x} ${at - 4.5}l4.5 4.5-4.5 4.5-4.5-4.5Z"/>`;
  return svg`${whisker}${shape}`;
}

/**
 * What an update removed is written as the change of the loss; a score as it is.
 *
 * @param {number | null | undefined} value
 * @param {boolean} trains
 */
const written = (value, trains) => (trains ? lossChange : fixed)(value ?? Number.NaN);

/**
 * The table twin: every round of a miner, newest first.
 *
 * @param {AttackMiner} one
 * @param {AttackState} state
 */
function table(one, { medians, trains }) {
  const rows = one.rounds.toReversed().map(
    ([number, mark, removed, noise, own, why]) =>
      html`<tr class=${mark === "o" || mark === "r" ? "bad" : ""}><td>${number}</td><td class="text">${MARK_WORDS[mark]}</td>
        <td>${written(removed, trains)}</td><td>${noise === null ? "–" : percent(noise)}</td><td>${written(medians[number], trains)}</td>
        <td>${own === null ? "–" : fixed(own, 1)}</td><td class="text why">${mark === "o" || mark === "r" ? why : nothing}</td></tr>`,
  );
  return html`<table class="sheet"><thead><tr><th scope="col">round</th><th scope="col" class="text">outcome</th>
    <th scope="col">${trains ? "loss" : "score"}</th><th scope="col">noise</th><th scope="col">median</th><th scope="col">own work, nats</th>
    <th scope="col" class="text why">why</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** @param {RenderContext} context */
export function renderAttacks(context) {
  const { model } = context;
  return show(context, "attacks", (root) => {
    root.tabIndex = -1;
    const view = new View(model, root);
    return {
      alive: (heard) => view.hear(heard),
      update: () => view.update(model.get("state")),
      over: () => view.state.ended,
    };
  });
}
