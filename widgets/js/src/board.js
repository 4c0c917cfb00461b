// "Who gets paid?" and "How does work become pay?": the leaderboard and the flow strip, as HTML.

import { bytes, escape, explained, fixed, lossChange, percent } from "./words.js";
import { FLAGGED, GONE, glyph, NOT_JUDGED, verdictOf, verdictWord } from "./verdict.js";

const FOLD_ABOVE = 12;

// What is known of every miner at a round.
export function standings(store, round, reasons) {
  return store.uids.map((uid, i) => {
    const code = verdictOf(store.at(round, "verdict", i));
    const pays = Array.from(store.history("pay", i, round)).filter((v) => !Number.isNaN(v));
    const sent = store.history("wire_bytes", i, round).reduce((a, b) => a + (Number.isNaN(b) ? 0 : b), 0);
    return {
      i, uid, code, pays, sent, paid: pays.reduce((a, b) => a + b, 0), reason: reasons[uid],
      removed: store.latest(round, "loss_removed", i), rating: store.latest(round, "rating", i),
      weight: store.latest(round, "weight", i), incentive: store.latest(round, "incentive", i),
      consensus: store.latest(round, "consensus", i), bytes: store.latest(round, "wire_bytes", i),
      loss: store.latest(round, "loss", i), state: stateOf(store, round, i, code),
    };
  });
}

// Whether a miner still takes part, as words: since when it is out, or how often it was not there.
function stateOf(store, round, i, code) {
  const verdicts = store.history("verdict", i, round);
  if (code === GONE || code === FLAGGED) {
    let since = round;
    while (since > 1 && verdicts[since - 2] === code) since -= 1;
    return `${code === GONE ? "gone" : "shut out"}, round ${since}`;
  }
  if (code === NOT_JUDGED) return "waiting";
  const missed = store.history("wire_bytes", i, round).reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
  // The round that goes on has not heard from everybody yet.
  return missed > 1 ? `missed ${missed - 1} of ${round}` : "active";
}

export function boardSentence(rows) {
  const caught = rows.filter((r) => r.code === FLAGGED).length;
  if (!caught) return "No one has been judged a free rider yet";
  const who = caught === 1 ? "A free rider looks like any other miner until validators test its updates" : `${caught} free riders looked like any other miner until validators tested their updates`;
  return `${who}; then ${caught === 1 ? "its" : "their"} pay ends within one tempo`;
}

export function board(rows, focused) {
  const order = [...rows].sort((a, b) => b.paid - a.paid || a.uid - b.uid);
  const scale = {
    removed: Math.max(1e-9, ...rows.map((r) => r.removed || 0)), incentive: Math.max(1e-9, ...rows.map((r) => r.incentive || 0)),
    pay: rows.reduce((most, r) => r.pays.reduce((a, b) => Math.max(a, b), most), 1e-9), tempos: Math.max(1, ...rows.map((r) => r.pays.length)),
  };
  const row = (r) => boardRow(r, scale, focused);
  return `<table><thead><tr><th>uid</th><th class="t">verdict</th><th>${explained("loss removed", "The share of the loss that goes when this miner’s update is applied alone.")}</th>
    <th class="w1">${explained("rating")}</th><th class="w1">${explained("weight")}</th><th>${explained("incentive")}</th><th class="t p">${explained("pay")} per tempo</th>
    <th>α paid ▾</th><th class="w1">MB sent</th><th class="t p">state</th></tr></thead><tbody>${folded(order, focused, row)}</tbody></table>`;
}

function folded(order, focused, row) {
  if (order.length <= FOLD_ABOVE) return order.map(row).join("");
  const top = order.slice(0, 5);
  const tail = order.filter((r) => !top.includes(r) && (r.code === FLAGGED || r.code === GONE)).slice(0, 8);
  const mine = order.find((r) => r.i === focused);
  const middle = order.filter((r) => !top.includes(r) && !tail.includes(r) && r !== mine);
  const shown = top.includes(mine) || tail.includes(mine) ? "" : row(mine);
  const fold = middle.length ? `<tr class="fold"><td colspan="10">${middle.length} more miners, paid ${fixed(middle.at(-1).paid)} to ${fixed(middle[0].paid)} α each</td></tr>` : "";
  return top.map(row).join("") + shown + fold + tail.map(row).join("");
}

function boardRow(r, scale, focused) {
  const bad = r.code === FLAGGED;
  const number = (text, width) => `<span class="n" style="min-width:${width}px">${text}</span>`;
  return `<tr data-i="${r.i}" tabindex="0" class="${r.i === focused ? "sel" : ""} ${bad ? "bad" : ""}"><td>${glyph(r.code)}${r.uid}</td>
    <td class="t">${judged(r)}</td><td>${bar(r.removed, scale.removed, bad)}${number(lossChange(r.removed), 52)}</td>
    <td class="w1">${fixed(r.rating, 3)}</td><td class="w1">${percent(r.weight)}</td><td>${bar(r.incentive, scale.incentive, false)}${number(percent(r.incentive), 44)}</td>
    <td class="t p">${steps(r.pays, scale, bad)}</td><td><b>${fixed(r.paid)}</b></td><td class="w1">${fixed(r.sent / 1e6)}</td><td class="t p">${r.state}</td></tr>`;
}

function judged(r) {
  const word = verdictWord(r.code);
  return r.reason && r.code >= FLAGGED ? explained(word, r.reason) : word;
}

function bar(value, most, bad) {
  const width = Math.max(0, Math.min(1, (value || 0) / most)) * 43;
  return `<svg class="bar" width="44" height="10" aria-hidden="true"><path d="M.5 0V10" stroke="var(--edge)"/><rect x="1" y="1.5" width="${width.toFixed(1)}" height="7" fill="${bad ? "var(--flag)" : "var(--work2)"}"/></svg>`;
}

// Pay as a step line over a fill from zero: only then a collapse looks like a collapse.
function steps(pays, scale, bad) {
  const w = 104, h = 22, k = w / scale.tempos, together = Math.ceil(scale.tempos / w);
  let d = `M0 ${h}`;
  for (let i = 0; i < pays.length; i += together) { // more steps than pixels would only be slow
    const some = pays.slice(i, i + together), v = some.reduce((a, b) => a + b) / some.length;
    d += `V${(h - 1 - (v / scale.pay) * (h - 3)).toFixed(1)}H${(Math.min(pays.length, i + together) * k).toFixed(1)}`;
  }
  const colour = bad ? "flag" : "work";
  return `<svg width="${w}" height="${h}" aria-hidden="true"><path d="M0 ${h - 0.5}H${w}" stroke="var(--hair)"/>${pays.length ? `<path d="${d}V${h}Z" fill="var(--${colour}3)"/><path d="${d.replace(/^M0 [\d.]+V/, "M0 ")}" fill="none" stroke="var(--${colour})" stroke-width="1.4"/>` : ""}</svg>`;
}

export function flow(rows, focused, innerSteps, tempo) {
  const heads = ["work", "score", "weight", "consensus", "incentive", "pay"];
  const strip = heads.map((head, i) => `<div class="s">${explained(head)}${i < 5 ? '<i aria-hidden="true">→</i>' : ""}</div>`).join("");
  const caught = rows.find((r) => r.code === FLAGGED && r.i !== focused);
  const line = (r) => {
    const c = r.code === FLAGGED ? "b" : "";
    const work = r.code === GONE ? "nothing sent" : Number.isNaN(r.bytes) ? "–" : `${innerSteps} steps, ${bytes(r.bytes)}`;
    const cells = [work, lossChange(r.removed), percent(r.weight), percent(r.consensus), percent(r.incentive)];
    return `<div class="${c} k">${glyph(r.code)}uid ${r.uid}</div>${cells.map((cell) => `<div class="${c}">${cell}</div>`).join("")}<div class="${c} k">${fixed(r.pays.at(-1) ?? NaN, 3)} α</div>`;
  };
  return `<div class="fl"><div></div><div class="who">the miner</div><div class="who" style="grid-column:3/5">each validator</div><div class="who" style="grid-column:5/8">the chain, every ${tempo ? `${tempo} blocks` : "tempo"}</div>
    <div></div>${strip}${line(rows[focused])}${caught ? line(caught) : ""}</div>`;
}
