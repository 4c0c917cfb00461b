// The table twin of the pictures: the same numbers as text, for a reader who prefers text ("t" turns it).

import { html } from "lit-html";
import { verdictWithReason } from "./verdict.js";
import { fixed, loss, percent } from "./words.js";

/** @import { Store } from "./store.js" */
/** @import { Standing } from "./types.js" */

/**
 * @param {Store} store
 * @param {Standing[]} rows
 * @param {number} round
 */
export function tableTwin(store, rows, round) {
  const from = Math.max(1, round - 19);
  const rounds = Array.from({ length: round - from + 1 }, (_, i) => round - i);
  const losses = rounds.map(
    (r) =>
      html`<tr><td>${r}</td><td>${loss(store.of(r, "subnet"), 3)}</td><td>${loss(store.of(r, "alone"), 3)}</td>
        <td>${fixed(store.of(r, "block"), 0)}</td></tr>`,
  );
  const miners = rows.map(
    (r) =>
      html`<tr><td>${r.uid}</td><td class="text">${verdictWithReason(r.code, r.reason)}</td><td>${r.state}</td>
        <td>${loss(r.loss, 3)}</td><td>${r.worth}</td><td>${fixed(r.rating, 3)}</td>
        <td>${percent(r.weight)}</td><td>${percent(r.incentive)}</td><td>${fixed(r.paid, 3)}</td>
        <td>${fixed(r.sent / 1e6)}</td></tr>`,
  );
  return html`<h3>${store.terms.measure}, newest round first</h3><table><thead><tr><th>round</th><th>${store.terms.line}</th><th>one alone</th>
    <th>block</th></tr></thead><tbody>${losses}</tbody></table>
    <h3 class="gap">Miners after round ${round}</h3><table><thead><tr><th>uid</th><th class="text">verdict</th>
      <th>state</th><th>own loss</th><th>${store.terms.worth}</th><th>rating</th><th>weight</th><th>incentive</th>
      <th>α paid</th><th>MB sent</th></tr></thead><tbody>${miners}</tbody></table>`;
}
