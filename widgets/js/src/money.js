// How money looks: the bar of a vote, the four steps of a spend, the line that remains, and whose money it is.

import { html, nothing } from "lit-html";

/** @import { FormSetup, FormState, Vote } from "./types.js" */

const STEP_NAMES = ["Previewed", "Signed", "In a block", "Finalised"];
const REACHED = { signed: 2, "in a block": 3 };

/**
 * Whole per cent where that shows the change, one digit more where it would not.
 *
 * @param {Vote} vote
 */
export function shares({ before, after }) {
  const digits = before < 99.95 && (before < 10 || Math.round(before) === Math.round(after)) ? 1 : 0;
  return [before.toFixed(digits), after.toFixed(digits)];
}

/** @param {Vote} vote */
export function voteBar(vote) {
  const [before, after] = shares(vote);
  return html`<div class="vote">
    <p><span class="muted">Voting weight of this validator</span><b>${before} → ${after}\u2009%</b></p>
    <svg width="100%" height="10" role="img" aria-label="Voting weight ${before} to ${after} per cent">
      <rect width="100%" height="10" class="all"></rect>
      <rect width="${vote.after}%" height="10" class="new"></rect>
      <rect width="${vote.before}%" height="10" class="old"></rect>
      <rect x="${vote.before}%" width="1.5" height="10" class="gap"></rect>
    </svg>
  </div>`;
}

/**
 * How many of the four steps were taken, and whether the next one is on its way or was the one that failed.
 *
 * @param {Pick<FormState, "step" | "stage">} state
 */
export function progress({ step, stage }) {
  if (step === "editing") return { reached: 0, next: "" };
  if (step === "previewed") return { reached: 1, next: "" };
  if (step === "finalised") return { reached: 4, next: "" };
  return { reached: stage ? REACHED[stage] : 1, next: step === "sending" ? "current" : "failed" };
}

/**
 * Each step's name, how it looks, and what is said of it.
 *
 * @param {Pick<FormState, "step" | "stage">} state
 */
export function stepsTaken(state) {
  const { reached, next } = progress(state);
  return STEP_NAMES.map((name, i) => {
    const look = i < reached ? "done" : i === reached ? next : "";
    return { look, said: look === "failed" ? `${name}: ${state.step}` : name };
  });
}

/** @param {FormState} state */
export const steps = (state) =>
  stepsTaken(state).map(
    ({ look, said }) => html`<div class=${look} aria-current=${look === "current" ? "step" : nothing}>${said}</div>`,
  );

/** @param {boolean} real */
export const moneyWord = (real) => (real ? "REAL TAO" : "play money");

/**
 * @param {boolean} real
 * @param {string} network
 */
export const networkBar = (real, network) =>
  real
    ? html`<b>REAL TAO</b><span>${network}, this money is real</span>`
    : html`<b>Play money</b><span>${network}, worth nothing</span>`;

/**
 * @param {boolean} real
 * @param {string} network
 */
export const badge = (real, network) =>
  html`<span class="money ${real ? "real" : ""}">${moneyWord(real)}, ${network}</span>`;

/** @param {number} seconds */
export const took = (seconds) =>
  seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;

/**
 * The line that remains of a form whose spend is final.
 *
 * @param {Pick<FormState, "preview" | "receipt">} state
 * @param {Pick<FormSetup, "real" | "network">} setup
 */
export function folded({ receipt, preview }, setup) {
  if (!receipt || !preview) return nothing;
  const [before, after] = preview.vote ? shares(preview.vote) : ["", ""];
  const vote = preview.vote
    ? html`<span class="muted">voting weight ${before} → <b>${after}\u2009%</b></span>`
    : nothing;
  return html`<span><span class="dot square"></span><b>Finalised</b></span><span>${preview.done}</span>${vote}
    <span class="muted" title=${receipt.tx}>block ${receipt.block}, ${took(receipt.took_s)}</span>
    <span class="spacer"></span>${badge(setup.real, setup.network)}`;
}
