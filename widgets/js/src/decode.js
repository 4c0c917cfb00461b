// What a wallet is about to sign, read from the bytes themselves: the kernel's words are shown beside it, never
// instead of it. Calls by their index in Subtensor's runtime (Balances is 5, SubtensorModule 7); one that is not in
// the table is shown as unknown, with its bytes. Amounts are BigInt, because a number cannot hold every rao.

/** @import { Line, SignerPayload, EvmFields } from "./types.js" */

const RAO_DIGITS = 9;
const WEI_DIGITS = 18;
const NETWORKS = new Map([
  ["0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03", "Bittensor mainnet"],
  ["0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105", "Bittensor testnet"],
]);
const REAL_CHAIN_IDS = [964, 945];

/** @type {Record<string, [string, ...[string, string][]]>} a name, then label and type of each argument */
const CALLS = {
  "0500": ["Pay", ["to", "address"], ["amount", "compact"]],
  "0503": ["Pay", ["to", "address"], ["amount", "compact"]],
  "0504": ["Pay everything", ["to", "address"], ["stays alive", "bool"]],
  "0702": ["Stake", ["validator", "account"], ["subnet", "u16"], ["amount", "tao"]],
  "0703": ["Unstake", ["validator", "account"], ["subnet", "u16"], ["amount", "alpha"]],
  "0758": [
    "Stake",
    ["validator", "account"],
    ["subnet", "u16"],
    ["amount", "tao"],
    ["highest price", "tao"],
    ["part of it will do", "bool"],
  ],
  "0759": [
    "Unstake",
    ["validator", "account"],
    ["subnet", "u16"],
    ["amount", "alpha"],
    ["lowest price", "tao"],
    ["part of it will do", "bool"],
  ],
  "0753": ["Unstake from every subnet", ["validator", "account"]],
  "0755": [
    "Move stake",
    ["from validator", "account"],
    ["to validator", "account"],
    ["from subnet", "u16"],
    ["to subnet", "u16"],
    ["amount", "alpha"],
  ],
  "0756": [
    "Give stake away",
    ["to", "account"],
    ["validator", "account"],
    ["from subnet", "u16"],
    ["to subnet", "u16"],
    ["amount", "alpha"],
  ],
  "0757": [
    "Move stake to another subnet",
    ["validator", "account"],
    ["from subnet", "u16"],
    ["to subnet", "u16"],
    ["amount", "alpha"],
  ],
  "0707": ["Register a neuron for the price of the day", ["subnet", "u16"], ["hotkey", "account"]],
  "073b": ["Create a subnet for the price of the day", ["hotkey", "account"]],
  "075c": ["Start a subnet", ["subnet", "u16"]],
};

/** The precompiles that move money, by address and selector. @type {Record<string, string>} */
const PRECOMPILES = {
  "0x0000000000000000000000000000000000000800:cd6f4eb1": "Pay an ss58 account",
};

/** @param {string} hex */
export const bytesOf = (hex) =>
  Uint8Array.from(hex.replace(/^0x/, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** @param {Uint8Array} bytes */
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {Uint8Array} bytes little-endian */
const little = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/**
 * A whole number of the smallest unit in tokens, without losing a digit.
 *
 * @param {bigint} amount
 * @param {number} [digits]
 */
export function tokens(amount, digits = RAO_DIGITS) {
  const text = amount.toString().padStart(digits + 1, "0");
  const fraction = text.slice(-digits).replace(/0+$/, "");
  const whole = text.slice(0, -digits).replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction ? `${whole}.${fraction}` : whole;
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/**
 * The public key in an ss58 address, as hex; "" where it is none. The checksum is not looked at: what counts is
 * whether this address is the one in the bytes that are signed.
 *
 * @param {string} address
 */
export function publicKey(address) {
  let number = 0n;
  for (const letter of address) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return "";
    number = number * 58n + BigInt(digit);
  }
  const hex = number.toString(16).padStart(70, "0");
  return hex.length === 70 ? hex.slice(2, 66) : "";
}

class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /** @param {number} size */
  take(size) {
    if (this.at + size > this.bytes.length) throw new Error("the call is too short");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  compact() {
    const [first] = this.take(1);
    const mode = first & 3;
    if (mode === 0) return BigInt(first >> 2);
    this.at -= 1;
    if (mode === 1) return little(this.take(2)) >> 2n;
    if (mode === 2) return little(this.take(4)) >> 2n;
    this.at += 1;
    return little(this.take((first >> 2) + 4));
  }
}

/**
 * @param {Reader} reader
 * @param {string} type
 * @param {string[]} known addresses that may be meant
 */
function argument(reader, type, known) {
  if (type === "address" && reader.take(1)[0] !== 0) throw new Error("the receiver is no account");
  if (type === "address" || type === "account") {
    const key = hexOf(reader.take(32));
    return known.find((address) => publicKey(address) === key) ?? `public key 0x${key}`;
  }
  if (type === "u16") return little(reader.take(2)).toString();
  if (type === "bool") return reader.take(1)[0] ? "yes" : "no";
  if (type === "compact") return `${tokens(reader.compact())} τ`;
  return `${tokens(little(reader.take(8)))} ${type === "tao" ? "τ" : "α"}`;
}

/**
 * A call in words; one that is unknown, or that is not exactly as long as it should be, says so.
 *
 * @param {string} hex
 * @param {string[]} known
 * @returns {{ what: string, known: boolean, lines: Line[] }}
 */
export function readCall(hex, known) {
  const call = CALLS[hex.replace(/^0x/, "").slice(0, 4)];
  try {
    if (!call) throw new Error("not in the table");
    const [what, ...parts] = call;
    const reader = new Reader(bytesOf(hex));
    reader.take(2);
    const lines = parts.map(([name, type]) => ({ name, value: argument(reader, type, known) }));
    if (reader.at !== reader.bytes.length) throw new Error("the call is too long");
    return { what, known: true, lines };
  } catch {
    const bytes = hex.length > 90 ? `${hex.slice(0, 90)}…` : hex;
    return { what: "A call this page cannot read", known: false, lines: [{ name: "bytes", value: bytes }] };
  }
}

/**
 * What `SignerPayloadJSON` says, apart from the call.
 *
 * @param {SignerPayload} payload
 * @param {string[]} known
 */
export function readPayload(payload, known) {
  const { what, known: read, lines } = readCall(payload.method, known);
  const tip = BigInt(payload.tip || 0);
  if (tip > 0n) lines.push({ name: "tip", value: `${tokens(tip)} τ` });
  return { what, read, lines };
}

/**
 * What a transaction of the EVM does.
 *
 * @param {EvmFields} fields
 * @param {string[]} known
 */
export function readTransaction(fields, known) {
  const data = fields.data ?? "0x";
  const value = BigInt(fields.value ?? 0);
  /** @type {Line[]} */
  const lines = [];
  const named = PRECOMPILES[`${(fields.to ?? "").toLowerCase()}:${data.slice(2, 10)}`];
  if (named && data.length === 2 + 8 + 64) {
    const key = data.slice(10).toLowerCase();
    lines.push({ name: "to", value: known.find((address) => publicKey(address) === key) ?? `public key 0x${key}` });
  } else {
    lines.push({ name: "to", value: fields.to ?? "a new contract" });
  }
  lines.push({ name: "amount", value: `${tokens(value, WEI_DIGITS)} τ` });
  if (fields.gas && fields.maxFeePerGas) {
    const most = BigInt(fields.gas) * BigInt(fields.maxFeePerGas);
    lines.push({ name: "fee at most", value: `${tokens(most, WEI_DIGITS)} τ` });
  }
  if (data.length > 2 && !named)
    lines.push({ name: "bytes", value: data.length > 90 ? `${data.slice(0, 90)}…` : data });
  const what = named ?? (data.length > 2 ? (fields.to ? "Call a contract" : "Create a contract") : "Pay");
  return { what, read: Boolean(named) || data.length <= 2, lines };
}

/**
 * Whether a signature for this chain is worth something, whatever the kernel says.
 *
 * @param {{ genesis?: string, id?: number, real: boolean }} chain
 */
export const isReal = ({ genesis, id, real }) =>
  real || NETWORKS.has(genesis ?? "") || REAL_CHAIN_IDS.includes(id ?? 0);

/** @param {string} genesis */
export const networkName = (genesis) => NETWORKS.get(genesis) ?? "";
