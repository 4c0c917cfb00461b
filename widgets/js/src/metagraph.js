// The live table of a subnet's seats: takes the kernel's news, draws the rows that can be seen, sorts and filters here.
// Rows are ordered anew when an epoch has paid or a person asks, never under the pointer.

import { Alive, greet } from "./alive.js";
import { badge } from "./money.js";
import { COLUMNS, EPOCHS, ROW_PX, Seats } from "./seats.js";
import { escape, fixed, percent } from "./words.js";

const ANSWER_EVERY = 20; // messages; each answer costs the notebook's page memory and a redraw
const SHOWN_AT_ONCE = 11; // more seats than this scroll, under a header that stays
const BAR_PX = 60, SPARK_PX = 104, SPARK_HIGH = 20;

const FRAME = `<div class="st" data-part="status"></div>
  <div class="tools" data-part="tools" hidden><input type="search" aria-label="Filter seats by uid, hotkey or role" placeholder="filter: uid, hotkey, role" spellcheck="false"><span class="m" data-part="found" role="status"></span></div>
  <div class="scroll" data-part="scroll"><table><thead><tr>${COLUMNS.map((c, i) => `<th scope="col" class="${c.words ? "t" : ""} ${c.key === "paid" ? "p" : ""}" data-key="${c.key}"><button type="button" tabindex="${i ? -1 : 0}" title="${escape(c.why ?? "")}">${escape(c.name)}<i aria-hidden="true"></i></button></th>`).join("")}</tr></thead><tbody data-part="body"></tbody></table></div>`;

class View {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.header = model.get("header");
    this.seats = new Seats(this.header.fields);
    this.state = "live";
    this.reason = "";
    this.alive = true;
    this.due = false;
    this.late = false;
    this.seen = this.answered = 0;
    root.innerHTML = FRAME;
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((el) => [el.dataset.part, el]));
    this.heads = [...root.querySelectorAll("th")];
    this.search = root.querySelector("input");
    this.#listen();
    this.draw();
  }

  receive(message) {
    if (message.k === "state") { this.state = message.state; this.reason = message.reason; }
    if (message.k === "seats") {
      const stale = this.seats.put(message);
      if (message.fresh || this.seats.order.length !== this.seats.rows.length) this.seats.arrange();
      else if (stale) this.late = true;
      this.seen = message.seq;
    }
    this.schedule();
  }

  hear(alive) {
    this.alive = alive;
    this.schedule();
  }

  schedule() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.draw(); });
  }

  draw() {
    const { seats, part } = this;
    if (this.late && !part.body.matches(":hover")) { this.late = false; seats.arrange(); }
    const many = seats.rows.length > SHOWN_AT_ONCE;
    part.tools.hidden = !many;
    part.scroll.classList.toggle("many", many);
    part.scroll.toggleAttribute("tabindex", false);
    if (many) part.scroll.tabIndex = 0;
    rewrite(part.status, this.#status());
    rewrite(part.found, seats.filter ? `${seats.order.length} of ${seats.rows.length}` : "");
    for (const th of this.heads) {
      const sorted = th.dataset.key === seats.sort.key;
      th.setAttribute("aria-sort", sorted ? (seats.sort.way > 0 ? "ascending" : "descending") : "none");
      th.querySelector("i").textContent = sorted ? (seats.sort.way > 0 ? " ▴" : " ▾") : "";
    }
    this.#rows(many);
    if (this.seen - this.answered >= ANSWER_EVERY) {
      this.answered = this.seen;
      this.model.send({ k: "ack", seq: this.seen });
    }
  }

  #rows(many) {
    const { seats, part } = this;
    const { from, to, above, below } = many
      ? seats.window(part.scroll.scrollTop, SHOWN_AT_ONCE * ROW_PX)
      : { from: 0, to: seats.order.length, above: 0, below: 0 };
    const scale = { stake: Math.max(0, ...seats.rows.map((r) => r.stake)), incentive: Math.max(0, ...seats.rows.map((r) => r.incentive)), paid: seats.mostPaid };
    const rows = seats.order.slice(from, to).map((uid, i) => line(seats, seats.rows[uid], scale, from + i)).join("");
    const gap = (height) => (height ? `<tr class="gap" aria-hidden="true"><td colspan="${COLUMNS.length}" style="height:${height}px"></td></tr>` : "");
    part.scroll.querySelector("table").setAttribute("aria-rowcount", seats.order.length + 1);
    const none = seats.rows.length && !seats.order.length ? `<tr class="fold"><td colspan="${COLUMNS.length}">No seat matches</td></tr>` : "";
    rewrite(part.body, gap(above) + rows + gap(below) + none);
  }

  #status() {
    const { seats, header } = this;
    const validators = seats.count("validator"), miners = seats.count("miner");
    const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
    return `${this.#mark()}<span><b>${many(seats.rows.length, "seat")}</b> on netuid ${escape(header.netuid)}</span><span>${many(validators, "validator")}, ${many(miners, "miner")}</span><span class="sp"></span><span>block <b>${seats.block}</b></span>${badge(header.real, header.network)}`;
  }

  #mark() {
    if (!this.alive) return `<span><span class="dot half"></span><b>kernel gone</b></span><span>as of this block; run the cell again</span>`;
    if (this.state === "gone") return `<span title="${escape(this.reason)}"><span class="dot no"></span><b>node gone</b></span><span>this is the last that was seen</span>`;
    if (this.state === "reconnecting") return `<span><span class="dot half"></span><b>reconnecting</b></span>`;
    return this.seats.rows.length ? "" : `<span><span class="dot half"></span><b>starting</b></span><span>reading the chain</span>`;
  }

  #listen() {
    this.part.scroll.addEventListener("scroll", () => this.schedule());
    this.part.body.addEventListener("pointerleave", () => this.schedule());
    this.search.addEventListener("input", () => {
      this.seats.filter = this.search.value;
      this.seats.arrange();
      this.part.scroll.scrollTop = 0;
      this.schedule();
    });
    for (const th of this.heads) th.querySelector("button").addEventListener("click", () => {
      this.seats.turn(th.dataset.key);
      this.#stop(th);
      this.schedule();
    });
    // Keys stop at the widget, so the notebook's command mode never sees them.
    this.root.addEventListener("keydown", (event) => this.#key(event));
  }

  // One tab stop for all headers: the arrows move between them.
  #key(event) {
    event.stopPropagation();
    if (event.key === "Escape") return void document.activeElement?.blur();
    const at = this.heads.findIndex((th) => th.contains(event.target));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.heads.length - 1 }[event.key];
    const th = at < 0 ? undefined : this.heads[to];
    if (!th) return;
    event.preventDefault();
    this.#stop(th);
    th.querySelector("button").focus();
  }

  #stop(chosen) {
    for (const th of this.heads) th.querySelector("button").tabIndex = th === chosen ? 0 : -1;
  }
}

function line(seats, row, scale, i) {
  const validator = row.role === "validator", bad = row.unpaid;
  const quiet = `<span class="m">–</span>`;
  const number = (text, wide) => `<span class="n" style="min-width:${wide}px">${text}</span>`;
  return `<tr class="${bad ? "bad" : ""}" aria-rowindex="${i + 2}"><td>${glyph(row)}${row.uid}</td><td class="t key" title="${escape(row.hotkey)}">${escape(row.hotkey.slice(0, 4))}…${escape(row.hotkey.slice(-4))}</td><td class="t"${bad ? ' title="Paid nothing in the last two tempos, while others were"' : ""}>${escape(row.role)}</td>
    <td>${bar(row.stake, scale.stake, "stake")}${number(fixed(row.stake, 1), 44)}</td><td>${validator ? fixed(row.vtrust, 3) : quiet}</td><td>${validator ? quiet : bar(row.incentive, scale.incentive, bad ? "flag" : "pay") + number(percent(row.incentive), 44)}</td><td>${validator ? percent(row.dividends) : quiet}</td>
    <td class="t p">${spark(seats.history(row), scale.paid, bad)}</td><td>${fixed(row.pay, 3)}</td><td>${Math.max(0, seats.block - row.wrote)}</td></tr>`;
}

function glyph(row) {
  const shape = row.role === "validator" ? '<rect x="1" y="1" width="8" height="8" class="v"/>'
    : row.unpaid ? '<path d="M5 0 10 5 5 10 0 5Z" class="f"/>'
    : row.incentive > 0 ? '<circle cx="5" cy="5" r="4" class="w"/>' : '<circle cx="5" cy="5" r="3.6" class="q"/>';
  return `<svg class="glyph" width="10" height="10" aria-hidden="true">${shape}</svg>`;
}

function bar(value, most, look) {
  const wide = most > 0 ? Math.max(0, (value / most) * (BAR_PX - 1)) : 0;
  return `<svg class="bar ${look}" width="${BAR_PX}" height="10" aria-hidden="true"><path d="M.5 0V10"/><rect x="1" y="1.5" width="${wide.toFixed(1)}" height="7"/></svg>`;
}

// A step line over a fill from zero, one scale for all rows; an epoch before the key took its seat stays empty.
function spark(paid, most, bad) {
  const step = SPARK_PX / EPOCHS, first = EPOCHS - paid.length, floor = SPARK_HIGH - 1;
  let d = "", start = 0, end = 0;
  paid.forEach((value, i) => {
    if (value === null) return;
    const x = (first + i) * step, y = most > 0 ? floor - (value / most) * (SPARK_HIGH - 3) : floor;
    d += d ? `V${y.toFixed(1)}` : `M${(start = x).toFixed(1)} ${y.toFixed(1)}`;
    d += `H${(end = x + step).toFixed(1)}`;
  });
  const known = paid.filter((value) => value !== null);
  const said = known.length ? `${known.length} tempos, from ${fixed(known[0], 3)} to ${fixed(known.at(-1), 3)} alpha` : "not paid yet";
  return `<svg class="spark ${bad ? "flag" : ""}" width="${SPARK_PX}" height="${SPARK_HIGH}" role="img" aria-label="${said}"><path class="zero" d="M0 ${SPARK_HIGH - .5}H${SPARK_PX}"/>${d ? `<path class="area" d="${d}V${SPARK_HIGH}H${start.toFixed(1)}Z"/><path class="line" d="${d}"/>` : ""}</svg>`;
}

// Writing the same words again would still cost a layout, and take the focus of whoever reads.
function rewrite(el, html) {
  if (el.written !== html) el.innerHTML = el.written = html;
}

function render({ model, el, signal }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "sl sl-seats";
  const view = new View(model, root);
  const alive = new Alive((now) => view.hear(now));
  const receive = (message) => {
    if (message.k !== "beat") answered();
    alive.hear();
    view.receive(message);
  };
  model.on("msg:custom", receive);
  const answered = greet(model);
  const end = () => {
    model.off("msg:custom", receive);
    alive.stop();
    answered();
  };
  signal?.addEventListener("abort", end);
  return end;
}

export default { render };
