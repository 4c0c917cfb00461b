// What tests/peers/test_clients.py asks of every program, and how a program answers: one line of JSON.
import { readFileSync } from "node:fs";

export const task = JSON.parse(readFileSync(process.env.TASK, "utf8"));

export function answer(found) {
  const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value);
  console.log(JSON.stringify(found, plain));
}
