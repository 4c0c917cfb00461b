// What a wallet is asked to sign, as the page reads it, and which page asks: the protocol of wallet/exchange.py.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Asking } from "../src/asking.js";
import { isReal, publicKey, readCall, readTransaction, tokens } from "../src/decode.js";
import { accounts, connectEvm, discover, requestEvm, signPayload } from "../src/wallets.js";
import { visible } from "../src/words.js";

const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const BOB_KEY = "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48";
const GENESIS = `0x${"35".repeat(32)}`;
const FIRST = `0x${"4e".repeat(32)}`;

test("calls are read from their bytes, and an address counts only if its key is in them", () => {
  assert.equal(publicKey(BOB), BOB_KEY);
  const pay = readCall(`0x050300${BOB_KEY}02286bee`, ["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", BOB]);
  assert.deepEqual(pay.lines, [
    { name: "to", value: BOB },
    { name: "amount", value: "1 τ" },
  ]);
  assert.equal(readCall(`0x050300${BOB_KEY}02286bee`, []).lines[0].value, `public key 0x${BOB_KEY}`);
  const stake = readCall(`0x0702${BOB_KEY}010000ca9a3b00000000`, [BOB]);
  assert.deepEqual(
    stake.lines.map(({ value }) => value),
    [BOB, "1", "1 τ"],
  );
  assert.equal(stake.what, "Stake");
});

test("a call that is unknown, too short, too long, or to no account is never shown as one that is known", () => {
  for (const hex of ["0x0b00", `0x0702${BOB_KEY}0100`, `0x050300${BOB_KEY}0400`, `0x050301${BOB_KEY}04`, "0x", ""]) {
    const { known, what, lines } = readCall(hex, [BOB]);
    assert.equal(known, false, hex);
    assert.match(what, /cannot read/);
    assert.equal(lines[0].value, hex);
  }
});

test("amounts keep every digit", () => {
  assert.equal(tokens(12345678901234567n), "12,345,678.901234567");
  assert.equal(tokens(0n), "0");
  assert.equal(tokens(1n, 18), "0.000000000000000001");
});

test("a transaction of the EVM names who gets the money, also through the precompile that pays", () => {
  const fields = { to: `0x${"0".repeat(37)}800`, value: "0xde0b6b3a7640000", data: `0xcd6f4eb1${BOB_KEY}` };
  const { what, read, lines } = readTransaction(fields, [BOB]);
  assert.deepEqual([what, read, lines[0].value, lines[1].value], ["Pay an ss58 account", true, BOB, "1 τ"]);
  assert.equal(readTransaction({ ...fields, data: "0xdeadbeef" }, [BOB]).read, false);
  assert.equal(readTransaction({ value: "0x0", data: "0x60" }, []).what, "Create a contract");
});

test("money is real by the first block or the chain's id, whatever the kernel says", () => {
  assert.equal(isReal({ genesis: GENESIS, id: 42, real: false }), false);
  assert.equal(isReal({ genesis: GENESIS, id: 42, real: true }), true);
  assert.equal(isReal({ genesis: GENESIS, id: 964, real: false }), true);
  const mainnet = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03";
  assert.equal(isReal({ genesis: mainnet, id: 42, real: false }), true);
});

const page = (able = true) => {
  mock.timers.enable({ apis: ["setInterval"] });
  const sent = [];
  const shown = [];
  const asking = new Asking(
    { send: (message) => sent.push(message) },
    { able: () => able, show: (question) => shown.push(question?.id ?? null) },
    "me",
  );
  return { asking, sent, shown };
};

test("a page that knows of a question but was not told it asks to be told, until it is", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const sent = [];
  const page_of = { able: () => true, show: () => {}, open: () => true };
  const asking = new Asking({ send: (message) => sent.push(message) }, page_of, "me");
  mock.timers.tick(2000);
  assert.deepEqual(sent, [
    { k: "hello", page: "me" },
    { k: "hello", page: "me" },
  ]);
  asking.hear({ k: "ask", id: "q", method: "bytes.sign", params: {} });
  mock.timers.tick(1000);
  assert.deepEqual(sent.slice(2), [
    { k: "claim", id: "q", page: "me" },
    { k: "claim", id: "q", page: "me" },
  ]);
  asking.leave();
  mock.timers.reset();
});

test("a page asks only when it was granted the question, holds it, and answers it once", () => {
  const { asking, sent, shown } = page();
  asking.hear({ k: "ask", id: "q", method: "bytes.sign", params: {} });
  assert.deepEqual(sent, [{ k: "claim", id: "q", page: "me" }]);
  asking.answer("q", { result: 1 }); // not granted
  asking.hear({ k: "go", id: "q", page: "other" });
  assert.deepEqual(shown, []);
  asking.hear({ k: "go", id: "q", page: "me" });
  assert.deepEqual(shown, ["q"]);
  mock.timers.tick(1000);
  assert.deepEqual(sent.at(-1), { k: "holding", id: "q", page: "me" });
  asking.answer("q", { result: 1 });
  asking.answer("q", { result: 2 });
  asking.hear({ k: "ask", id: "q", method: "bytes.sign", params: {} }); // replayed
  assert.deepEqual(
    sent.filter(({ k }) => k === "answer"),
    [{ k: "answer", id: "q", page: "me", result: 1 }],
  );
  asking.leave();
  mock.timers.reset();
});

test("a page without the wallet claims nothing, and one that is left says so", () => {
  const without = page(false);
  without.asking.hear({ k: "ask", id: "q", method: "bytes.sign", params: {} });
  assert.deepEqual(without.sent, []);
  without.asking.leave();
  mock.timers.reset();
  const { asking, sent } = page();
  asking.hear({ k: "ask", id: "q", method: "bytes.sign", params: {} });
  asking.hear({ k: "go", id: "q", page: "me" });
  asking.leave();
  assert.deepEqual(sent.at(-1), { k: "bye", page: "me" });
  mock.timers.reset();
});

test("an extension is asked for this chain and an account it has, and for nothing else", async () => {
  const asked = [];
  const account = { address: BOB, type: "sr25519" };
  const signer = { signPayload: async (payload) => asked.push(payload) && { signature: "0x01" } };
  const others = [{ address: "0xab", type: "ethereum" }];
  globalThis.injectedWeb3 = {
    x: { enable: async () => ({ accounts: { get: async () => [account, ...others] }, signer }) },
  };
  assert.deepEqual(
    (await accounts("x")).map(({ address, source }) => [address, source]),
    [[BOB, "x"]],
  );
  const payload = { address: BOB, genesisHash: GENESIS, method: "0x" };
  await assert.rejects(signPayload("x", { ...payload, genesisHash: FIRST }, GENESIS), /another chain/);
  await assert.rejects(signPayload("x", { ...payload, address: "5x" }, GENESIS), /does not have/);
  account.genesisHash = FIRST;
  await assert.rejects(signPayload("x", payload, GENESIS), /for another chain/);
  assert.deepEqual(asked, []);
  account.genesisHash = GENESIS;
  assert.deepEqual(await signPayload("x", payload, GENESIS), { signature: "0x01" });
  await assert.rejects(signPayload("constructor", payload, GENESIS), /not in this page/);
});

test("a wallet of the EVM must be on this chain and reach this node before it is asked", async () => {
  const state = { chain: 1, first: FIRST, refuse: false };
  const asked = [];
  const answers = {
    eth_requestAccounts: () => ["0xAb"],
    eth_accounts: () => ["0xaB"],
    eth_chainId: () => `0x${state.chain.toString(16)}`,
    eth_getBlockByNumber: () => (state.first ? { hash: state.first } : null),
    wallet_switchEthereumChain: () => {
      throw Object.assign(new Error("unknown"), { code: 4902 });
    },
    wallet_addEthereumChain: ([{ chainId }]) => {
      state.chain = Number(chainId);
    },
    personal_sign: () => "0x51",
    eth_sendTransaction: () => {
      if (state.refuse) throw Object.assign(new Error("Cancelled"), { code: 4001 });
      return "0x77";
    },
  };
  const request = async ({ method, params }) => {
    asked.push(method);
    return answers[method](params);
  };
  const events = new EventTarget();
  globalThis.addEventListener = events.addEventListener.bind(events);
  globalThis.removeEventListener = events.removeEventListener.bind(events);
  globalThis.dispatchEvent = (event) => {
    const told = new Event("eip6963:announceProvider");
    told.detail = { info: { uuid: "u", name: "W", rdns: "w" }, provider: { request } };
    return event.type === "eip6963:requestProvider" ? events.dispatchEvent(told) : events.dispatchEvent(event);
  };
  discover(() => {})();
  const chain = { id: 42, first: FIRST, url: "http://127.0.0.1:1" };
  const told = await connectEvm("w", chain, "devnet", "sentence");
  assert.deepEqual(told, { address: "0xAb", rdns: "w", name: "W", signature: "0x51" });
  const send = { rdns: "w", address: "0xab", chain, method: "eth_sendTransaction", params: [{}] };
  assert.equal(await requestEvm(send, chain, "devnet"), "0x77");
  asked.length = 0;
  await assert.rejects(requestEvm({ ...send, method: "eth_sign" }, chain, "devnet"), /not allowed/);
  await assert.rejects(requestEvm({ ...send, chain: { ...chain, first: GENESIS } }, chain, "devnet"), /another chain/);
  await assert.rejects(requestEvm({ ...send, address: "0xcd" }, chain, "devnet"), /does not show/);
  state.first = GENESIS;
  await assert.rejects(requestEvm(send, chain, "devnet"), /cannot reach this node/);
  assert.ok(!asked.includes("eth_sendTransaction"));
  state.first = FIRST;
  state.refuse = true;
  await assert.rejects(requestEvm(send, chain, "devnet"), { code: 4001, message: "Cancelled", asked: true });
});

test("a name that reorders letters or hides some is shown with marks in their place", () => {
  assert.equal(visible("Meta\u202eksaM\u200b"), "Meta\ufffdksaM\ufffd");
  assert.equal(visible("Ärger 5τ"), "Ärger 5τ");
});
