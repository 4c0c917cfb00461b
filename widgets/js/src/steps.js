// One step of an epoch as a table: a tint for how much, the number in each cell, and what it was before. No state.

import { html, nothing } from "lit-html";
import { fixed, percent } from "./words.js";

/** @import { YumaStage } from "./types.js" */

const SAME = 5e-5; // closer than this, two numbers are shown alike

/**
 * @typedef {object} Chosen
 * @property {number} row
 * @property {number} column
 * @property {boolean} live whether weights can be moved
 * @property {(row: number, column: number) => void} choose
 */

/**
 * A number of a step as text.
 *
 * @param {YumaStage} stage
 * @param {number} value
 */
export const shown = (stage, value) => (stage.unit === "α" ? fixed(value, 3) : percent(value));

/**
 * Where a number went since the weights were moved: its sign, or 0.
 *
 * @param {number} now
 * @param {number} was
 */
export const way = (now, was) => (Math.abs(now - was) < SAME ? 0 : Math.sign(now - was));

/**
 * What moved in a step, as sentences of `uid 6: 25.2 % → 77.4 %`, largest first.
 *
 * @param {YumaStage} stage
 * @param {number} most
 */
export function movements(stage, most) {
  /** @type {{ size: number, said: string }[]} */
  const found = [];
  stage.now.forEach((row, i) => {
    row.forEach((value, j) => {
      const was = stage.was[i]?.[j] ?? 0;
      if (!way(value, was)) return;
      const who = stage.rows.length ? `${stage.rows[i]} for ${stage.columns[j]}` : `uid ${stage.columns[j]}`;
      found.push({ size: Math.abs(value - was), said: `${who}: ${shown(stage, was)} → ${shown(stage, value)}` });
    });
  });
  found.sort((a, b) => b.size - a.size);
  return found.slice(0, most).map(({ said }) => said);
}

/**
 * @param {YumaStage} stage
 * @param {Chosen | null} chosen
 */
export function stepTable(stage, chosen) {
  const most = Math.max(1e-9, ...stage.now.flat());
  const matrix = stage.rows.length > 0;
  const heads = stage.columns.map((uid) => html`<th scope="col">${uid}</th>`);
  const rows = stage.now.map(
    (row, i) => html`<tr>
      <th scope="row" class="text">${matrix ? `by ${stage.rows[i]}` : nothing}</th>
      ${row.map((value, j) => cell(stage, { value, was: stage.was[i]?.[j] ?? 0, most, i, j }, chosen))}</tr>`,
  );
  const corner = matrix ? "validator \\ miner" : "uid";
  return html`<table aria-label=${stage.name}><thead><tr><th class="text">${corner}</th>${heads}</tr></thead>
    <tbody>${rows}</tbody></table>`;
}

/**
 * @param {YumaStage} stage
 * @param {{ value: number, was: number, most: number, i: number, j: number }} one
 * @param {Chosen | null} chosen
 */
function cell(stage, { value, was, most, i, j }, chosen) {
  const turned = way(value, was);
  const mark = turned ? html`<i aria-hidden="true">${turned > 0 ? "▴" : "▾"}</i>` : nothing;
  const before = turned ? `was ${shown(stage, was)}` : "";
  const tint = `--much:${Math.round((value / most) * 100)}%`;
  const words = html`${mark}${shown(stage, value)}`;
  if (!chosen) return html`<td style=${tint} title=${before}>${words}</td>`;
  const here = chosen.row === i && chosen.column === j;
  const name = `Weight of validator ${stage.rows[i]} for miner ${stage.columns[j]}: ${shown(stage, value)} ${before}`;
  return html`<td style=${tint} class=${here ? "chosen" : ""}><button type="button" data-cell="${i},${j}"
    aria-label=${name} aria-pressed=${here} tabindex=${here ? 0 : -1} ?disabled=${!chosen.live}
    @click=${() => chosen.choose(i, j)}>${words}</button></td>`;
}
