// How money looks: the bar of a vote, the four steps of a spend, the line that remains, and whose money it is.

import { escape } from "./words.js";

const STEP_NAMES = ["Previewed", "Signed", "In a block", "Finalised"];

// Whole per cent where that shows the change, one digit more where it would not.
export function shares({ before, after }) {
  const digits = before < 99.95 && (before < 10 || Math.round(before) === Math.round(after)) ? 1 : 0;
  return [before.toFixed(digits), after.toFixed(digits)];
}

export function voteBar(vote) {
  const [b, a] = shares(vote);
  return `<div class="vw"><p><span class="m">Voting weight of this validator</span><b>${b} → ${a}\u2009%</b></p>
    <svg width="100%" height="10" role="img" aria-label="Voting weight ${b} to ${a} per cent"><rect width="100%" height="10" class="all"/><rect width="${vote.after}%" height="10" class="new"/><rect width="${vote.before}%" height="10" class="old"/><rect x="${vote.before}%" width="1.5" height="10" class="gap"/></svg></div>`;
}

// How many of the four steps were taken, and whether the next one is on its way or was the one that failed.
export function progress({ step, stage }) {
  const reached = { signed: 2, "in a block": 3 }[stage] ?? 1;
  if (step === "editing") return { reached: 0, next: "" };
  if (step === "previewed") return { reached: 1, next: "" };
  if (step === "finalised") return { reached: 4, next: "" };
  return { reached, next: step === "sending" ? "go" : "no" };
}

export function steps(state) {
  const { reached, next } = progress(state);
  return STEP_NAMES.map((name, i) => {
    const look = i < reached ? "ok" : i === reached ? next : "";
    const now = look === "go" ? ' aria-current="step"' : "";
    const said = look === "no" ? `${name}: ${state.step}` : name;
    return `<div class="${look}"${now}>${said}</div>`;
  }).join("");
}

export const badge = (real, network) => `<span class="money ${real ? "real" : ""}">${real ? "REAL TAO" : "play money"}, ${escape(network)}</span>`;

export const took = (seconds) => (seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`);

export function folded(state, setup) {
  const { receipt, preview } = state;
  const vote = preview.vote ? shares(preview.vote) : null;
  return `<span><span class="dot sq"></span><b>Finalised</b></span><span>${escape(preview.done)}</span>
    ${vote ? `<span class="m">voting weight ${vote[0]} → <b>${vote[1]}\u2009%</b></span>` : ""}
    <span class="m" title="${escape(receipt.tx)}">block ${receipt.block}, ${took(receipt.took_s)}</span><span class="sp"></span>${badge(setup.real, setup.network)}`;
}
