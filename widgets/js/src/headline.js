// The status line, the result as a sentence, and what the model writes: words from the record, never invented.

import { html, nothing } from "lit-html";
import { explained } from "./glossary.js";
import { badge } from "./money.js";
import { loss } from "./words.js";

/** @import { Store } from "./store.js" */
/** @import { RunHeader, RunState } from "./types.js" */

/** @type {Record<string, string>} */
const MARKS = {
  starting: "half",
  running: "",
  reconnecting: "half",
  finished: "square",
  stopped: "square",
  failed: "hollow",
  interrupted: "hollow",
};
const LOST_AFTER_S = 20; // a kernel whose cell keeps it busy is heard sooner, unless it does so for forty minutes

/**
 * @param {RunHeader} header
 * @param {RunState} status
 * @param {number} round
 * @param {number} silentFor
 */
export function statusLine(header, status, round, silentFor) {
  const patience = /** @type {Record<string, number>} */ ({ running: 3, starting: LOST_AFTER_S })[status.state];
  const state = silentFor > (patience ?? Infinity) ? "reconnecting" : status.state;
  const detail = {
    starting: status.waiting || header.waiting || "waiting for the first round",
    reconnecting: lastSeen(header, silentFor),
    failed: status.reason,
    stopped: status.reason,
    interrupted: status.reason,
  }[state];
  return html`<span><span class="dot ${MARKS[state]}"></span><b>${state}</b></span>
    <span>${header.name}, netuid ${header.netuid}</span><span>round <b>${round}</b> of ${header.rounds}</span>
    ${detail ? html`<span class="detail">${detail}</span>` : ""}<span class="spacer"></span>
    <span>block <b>${status.block || "–"}</b></span>${payday(status)}
    ${badge(header.real_money, header.network)}`;
}

/**
 * A page cannot tell a restarted kernel from a broken line; the run goes on behind either.
 *
 * @param {RunHeader} header
 * @param {number} silentFor
 */
export function lastSeen(header, silentFor) {
  const ago = `last seen ${Math.round(silentFor)} s ago`;
  if (silentFor <= LOST_AFTER_S) return ago;
  const found = header.run_id === "" ? "no run had begun; run the cell again" : `%sl attach ${header.name}`;
  return `${ago}; if the kernel was restarted: ${found}`;
}

/** @param {RunState} status */
function payday(status) {
  const { tempo } = status;
  if (!tempo || tempo > 64 || status.state === "finished") return nothing;
  const left = Math.max(0, Math.min(tempo, (status.next_epoch ?? 0) - (status.block ?? 0)));
  const boxes = Array.from({ length: tempo }, (_, i) => html`<i class=${i < tempo - left ? "on" : ""}></i>`);
  const meaning = `A tempo is ${tempo} blocks here, 360 on the public chain. At its end votes become pay.`;
  return html`<span><span class="tempo"
    aria-hidden="true">${boxes}</span>${explained("pay day", meaning)} in <b>${left}</b>
    block${left === 1 ? "" : "s"}</span>`;
}

/**
 * The sentence comes with the status, as every other page says it. While an earlier round is looked at again the
 * page states that round's numbers, both of one round: the reference miner trains on while a round is being closed.
 *
 * @param {RunHeader} header
 * @param {Store} store
 * @param {RunState} status
 * @param {number} round
 */
export function headline(header, store, status, round) {
  const text = status.headline && round >= store.last ? status.headline : ofRound(header, store, round);
  return { drawn: html`${marked(text)}${store.lastWith(round, "subnet") ? ratioLine(status) : nothing}`, text };
}

/**
 * @param {RunHeader} header
 * @param {Store} store
 * @param {number} round
 */
function ofRound(header, store, round) {
  const closed = store.lastWith(round, "subnet");
  if (!closed) return "No round has closed yet";
  const alone = store.of(closed, "alone");
  const beside = Number.isNaN(alone) ? "" : `, one alone at ${loss(alone)}`;
  return `Round ${closed} of ${header.rounds}: ${store.terms.line} at ${loss(store.of(closed, "subnet"))}${beside}`;
}

/**
 * The first loss in a sentence is the subnet's, and is drawn as the result.
 *
 * @param {string} text
 */
function marked(text) {
  const found = /(?<=\b(?:at|reached|nothing:) )[−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?/.exec(text);
  return found
    ? html`${text.slice(0, found.index)}<em>${found[0]}</em>${text.slice(found.index + found[0].length)}`
    : text;
}

/** @param {RunState} status */
function ratioLine(status) {
  if (!status.wire_bytes || !status.dense_bytes) return nothing;
  const ratio = Math.round(status.dense_bytes / status.wire_bytes);
  const sent = `${(status.wire_bytes / 1e3).toFixed(1)} kB compressed`;
  const dense = `${(status.dense_bytes / 1e6).toFixed(1)} MB as a full fp32 update`;
  const both = `${sent} against ${dense}, per miner and round`;
  return html`<span>with ${explained(`${ratio}×`, both)} fewer bytes than a full update</span>`;
}

/**
 * An untrained model writes any byte; what has no shape is shown as a dot.
 *
 * @param {string} text
 */
const readable = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/g, "·");

/**
 * @param {RunState} status
 * @param {number} round
 */
export function samples(status, round) {
  if (!status.samples?.length) return measures(status);
  const ready = (status.samples || []).filter((s) => s.round <= round);
  const shown = ready.length < 3 ? ready : [ready[0], ready[ready.length >> 1], ready[ready.length - 1]];
  return shown.map(
    (s, i) =>
      html`<div
        class="sample ${i === shown.length - 1 ? "now" : ""}"><small>round ${s.round}</small>${s.prompt}${readable(s.text)}</div>`,
  );
}

/** @type {Record<string, string>} */
const NAMES = { macro_f1: "macro F1", r2: "R²", mae: "MAE" };

/**
 * What a task measures beside its loss, where its models write nothing.
 *
 * @param {RunState} status
 */
function measures(status) {
  const values = Object.entries(status.measured?.values ?? {});
  return values.map(
    ([name, value]) => html`<div class="measure"><b>${loss(value, 3)}</b> ${NAMES[name] ?? name}</div>`,
  );
}

/**
 * What the panel beside the curve is about: what the model writes, or how good it is.
 *
 * @param {RunState} status
 * @param {boolean} [trains]
 * @returns {[string, string]} heading and caption
 */
export function beside(status, trains = true) {
  if (status.samples?.length) return ["What it writes", `Continuing ${status.samples[0].prompt}`];
  if (status.measured?.round) {
    const { round } = status.measured;
    return trains
      ? ["How good is it?", `On the held-out data after round ${round}`]
      : ["What came of it", `Over all miners and judges, round ${round}`];
  }
  return ["What comes of it", "Nothing sampled or measured yet"];
}
