// What was spent and what became of it: one row each, newest first, as the kernel's ledger has it.

import { html, nothing, render as write } from "lit-html";
import { show } from "./heartbeat.js";
import { badge } from "./money.js";

/** @import { LedgerRow, LedgerSetup, Model, RenderContext } from "./types.js" */

const SHORT = 10;

/** @param {string} text */
export const shortened = (text) => (text.length > SHORT + 5 ? `${text.slice(0, SHORT - 3)}…${text.slice(-4)}` : text);

/** @param {number} seconds of Unix */
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

/** @param {Event} event @param {string} text */
async function copy(event, text) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = text; // no clipboard without HTTPS: the whole of it can be selected
  }
}

/** @param {LedgerRow} row @param {string[]} column */
function cell(row, [key, , kind]) {
  const value = row[key];
  const text = value === null || value === undefined ? "" : String(value);
  if (kind === "time") return html`<td title=${new Date(Number(value) * 1000).toString()}>${clock(Number(value))}</td>`;
  if (kind === "number") return html`<td class="number">${text}</td>`;
  if (kind === "state") return html`<td class=${row.bad ? "bad" : ""}>${text}</td>`;
  if (kind === "text") return html`<td title=${row.summary ?? ""}>${text}</td>`;
  const long = text.length > SHORT + 5;
  return html`<td>${
    long
      ? html`<button type="button" class="copy" title="Copy ${text}" @click=${(/** @type {Event} */ e) => copy(e, text)}>${shortened(text)}</button>`
      : text
  }</td>`;
}

/**
 * @param {LedgerSetup} setup
 * @param {{ rows: LedgerRow[], note: string }} state
 * @param {boolean} alive
 */
export function ledger(setup, { rows, note }, alive) {
  const table = html`<table><thead><tr>${setup.columns.map(
    ([, label, kind]) => html`<th class=${kind}>${label}</th>`,
  )}</tr></thead>
    <tbody>${rows.map((row) => html`<tr class=${row.bad ? "bad" : ""}>${setup.columns.map((column) => cell(row, column))}</tr>`)}</tbody></table>`;
  return html`<div class="status"><b>${setup.title}</b><span role="status">${
    alive ? note : "Disconnected from the kernel; this is the last that was known"
  }</span><span class="spacer"></span>${badge(setup.real, setup.network)}</div>
    <div class="scroll ${rows.length > 10 ? "many" : ""}" tabindex=${rows.length > 10 ? "0" : nothing}>${
      rows.length ? table : html`<p class="note">Nothing so far</p>`
    }</div>`;
}

/** @param {RenderContext} context */
export function renderLedger(context) {
  const { model } = context;
  return show(context, "ledger", (root) => {
    let alive = true;
    const draw = () => write(ledger(model.get("setup"), model.get("state"), alive), root);
    root.addEventListener("keydown", (event) => event.stopPropagation());
    draw();
    return {
      alive: (heard) => {
        alive = heard;
        draw();
      },
      update: draw,
    };
  });
}
