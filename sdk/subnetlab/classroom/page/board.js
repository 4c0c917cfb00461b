// The educator's board: asks for the rows once a second, with the token from behind the address's #.
"use strict";

const HEADER = "X-SubnetLab-Token";
const KEY = `subnetlab class ${location.pathname}`;

function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

const TOKEN = token();
const SILENT = "The class does not answer.";
const byId = (id) => document.getElementById(id);

function ask(path, body) {
  const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  return fetch(`board/${path}`, { ...how, headers: { [HEADER]: TOKEN }, redirect: "error" });
}

async function sentence(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `The class answers ${answer.status}.`; // a proxy's page, not the class's JSON
  }
}

// What a click asks for: the answer, or null where it was refused, which is told and not swallowed.
async function asked(path, body) {
  try {
    const answer = await ask(path, body);
    if (answer.ok) return answer;
    alert(await sentence(answer));
  } catch {
    alert(SILENT);
  }
  return null;
}

// One decimal, or two figures where it is small: the work of one round moves a loss by hundredths of a percent.
function percent(share) {
  const size = Math.abs(100 * share);
  if (size < 0.001) return "0 %";
  const text = size < 1 ? size.toPrecision(2) : size.toFixed(1);
  return `${share < 0 ? "−" : ""}${text} %`;
}

function ago(seconds) {
  if (seconds < 10) return "now";
  return seconds < 120 ? `${Math.round(seconds)} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function cells(row, told) {
  return [
    row.name,
    row.role,
    row.uid ?? "",
    row.rounds,
    row.standing,
    row.score === null ? "" : percent(row.score),
    percent(row.incentive),
    (row.paid_alpha_rao / 1e9).toFixed(3),
    `${row.exercises} of ${told.exercises}`,
    ago(told.now - row.seen),
  ];
}

function resetButton(row) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Reset";
  button.setAttribute("aria-label", `Reset ${row.name}`);
  button.addEventListener("click", async () => {
    if (!confirm(`${row.name} has to join again. Reset?`)) return;
    await asked("reset", { student: row.student });
    await show();
  });
  return button;
}

function drawn(row, told, before) {
  const line = before ?? document.createElement("tr");
  const texts = cells(row, told);
  if (!before) {
    line.dataset.student = row.student;
    for (const _ of texts) line.append(document.createElement("td"));
    const last = document.createElement("td");
    last.append(resetButton(row));
    line.append(last);
  }
  texts.forEach((text, place) => {
    const cell = line.children[place];
    if (cell.textContent !== String(text)) cell.textContent = text;
  });
  line.className = row.standing.startsWith("refused") ? "refused" : "";
  return line;
}

function draw(told) {
  document.title = told.title;
  byId("title").textContent = told.title;
  const students = told.rows.length === 1 ? "1 student" : `${told.rows.length} students`;
  byId("where").textContent = `Round ${told.round} of ${told.rounds}, block ${told.block}, ${students}`;
  const rows = byId("rows");
  const before = new Map([...rows.children].map((line) => [line.dataset.student, line]));
  const lines = told.rows.map((row) => drawn(row, told, before.get(row.student)));
  for (const line of rows.children) if (!lines.includes(line)) line.remove();
  lines.forEach((line, place) => {
    if (rows.children[place] !== line) rows.insertBefore(line, rows.children[place] ?? null);
  });
  byId("nobody").hidden = told.rows.length > 0;
}

async function show() {
  try {
    const answer = await ask("rows");
    if (!answer.ok) {
      byId("where").textContent = await sentence(answer);
      return;
    }
    draw(await answer.json());
  } catch {
    byId("where").textContent = SILENT;
  }
}

byId("grades").addEventListener("click", async () => {
  const answer = await asked("grades.csv");
  if (!answer) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = "grades.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});

byId("unused").addEventListener("click", async () => {
  if (!confirm("Students who joined and did nothing since have to join again. Free their seats?")) return;
  const answer = await asked("reset", { unused: true });
  if (answer) {
    const { reset } = await answer.json();
    alert(reset === 1 ? "1 seat is free again." : `${reset} seats are free again.`);
  }
  await show();
});

byId("all").addEventListener("click", async () => {
  if (!confirm("Everyone has to join again, with a new code. Reset the class?")) return;
  const answer = await asked("reset", { all: true });
  if (answer) alert(`The new join code is ${(await answer.json()).code}`);
  await show();
});

async function keepShowing() {
  await show();
  setTimeout(keepShowing, 1000);
}

keepShowing();
