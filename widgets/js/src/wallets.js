// The wallets of this page: extensions under `injectedWeb3` (coldkeys) and EIP-6963 providers (EVM).
// Never `eth_sign`, never a key; `signRaw` is for messages alone, because a wallet marks what it signs there.

/** @import { EvmChain, EvmDetail, Extension, PageAccount, SignerPayload } from "./types.js" */

const ORIGIN = "SubnetLab notebook";
const ALLOWED = new Set(["eth_sendTransaction", "personal_sign", "eth_signTypedData_v4"]);
export const REJECTED = 4001;
const UNSUPPORTED = 4200;
const DISCONNECTED = 4900;
const UNKNOWN_CHAIN = 4902;
const KINDS = ["sr25519", "ed25519"];

/** @param {number} code @param {string} message */
export const refusal = (code, message) => Object.assign(new Error(message), { code });

/** @type {Map<string, EvmDetail>} by rdns, which outlives a reload, unlike the uuid */
const providers = new Map();
/** @type {Map<string, Promise<Extension>>} */
const enabled = new Map();

/** @param {Event} event */
function announced(event) {
  const { detail } = /** @type {CustomEvent<EvmDetail>} */ (event);
  if (detail?.info?.rdns && detail.provider) providers.set(detail.info.rdns, detail);
}

/** @param {() => void} changed called when a wallet of the EVM announces itself; returns how to stop */
export function discover(changed) {
  /** @param {Event} event */
  const hear = (event) => {
    announced(event);
    changed();
  };
  globalThis.addEventListener("eip6963:announceProvider", hear);
  globalThis.dispatchEvent(new Event("eip6963:requestProvider"));
  return () => globalThis.removeEventListener("eip6963:announceProvider", hear);
}

export const evmWallets = () => [...providers.values()].map(({ info }) => ({ rdns: info.rdns, name: info.name }));
/** @param {string} rdns */
export const hasEvm = (rdns) => providers.has(rdns);

const injected = () => /** @type {{ injectedWeb3?: Record<string, any> }} */ (globalThis).injectedWeb3 ?? {};
export const extensions = () => Object.keys(injected());
/** @param {string} source */
export const hasExtension = (source) => Object.hasOwn(injected(), source);

/** @param {string} source @returns {Promise<Extension>} */
function enable(source) {
  if (!hasExtension(source)) throw refusal(DISCONNECTED, `${source} is not in this page`);
  let found = enabled.get(source);
  if (!found) {
    found = Promise.resolve(injected()[source].enable(ORIGIN));
    enabled.set(source, found);
    found.catch(() => enabled.delete(source)); // the person may say yes the next time
  }
  return found;
}

/** @param {string} source @returns {Promise<PageAccount[]>} */
export async function accounts(source) {
  const extension = await enable(source);
  const found = await extension.accounts.get(false);
  return found
    .map(({ address, name, type, genesisHash }) => ({ address, name, type: type ?? "sr25519", genesisHash, source }))
    .filter((account) => KINDS.includes(account.type));
}

/** @param {string} source @param {SignerPayload} payload @param {string} genesis of the network this page shows */
export async function signPayload(source, payload, genesis) {
  if (payload.genesisHash !== genesis) {
    throw refusal(UNSUPPORTED, "it is for another chain than the one that this page shows");
  }
  const mine = (await accounts(source)).find(({ address }) => address === payload.address);
  if (!mine) throw refusal(DISCONNECTED, `${source} does not have ${payload.address} any more`);
  if (mine.genesisHash && mine.genesisHash !== genesis) {
    throw refusal(UNSUPPORTED, `${source} keeps this account for another chain`);
  }
  const { signature } = await (await enable(source)).signer.signPayload(payload);
  return { signature };
}

/** @param {string} source @param {string} address @param {string} data */
export async function signRaw(source, address, data) {
  const { signature } = await (await enable(source)).signer.signRaw({ address, data, type: "bytes" });
  return { signature };
}

/** @param {string} rdns */
function provider(rdns) {
  const found = providers.get(rdns);
  if (!found) throw refusal(DISCONNECTED, "this wallet is not in this page");
  return found.provider;
}

/**
 * Have a wallet be on a chain and reach its node, or say in words why not. Its first block tells two chains of one
 * id apart, and that the wallet gets through to this node and not to another one at the same address.
 *
 * @param {string} rdns
 * @param {EvmChain} chain
 * @param {string} network
 */
export async function ready(rdns, chain, network) {
  const wallet = provider(rdns);
  const wanted = `0x${chain.id.toString(16)}`;
  const on = async () => Number(await wallet.request({ method: "eth_chainId" })) === chain.id;
  if (!(await on())) await change(wallet, wanted, chain, network);
  if (!(await on())) throw refusal(UNSUPPORTED, "the wallet is on another chain");
  /** @type {{ hash?: string } | null} */
  let first = null;
  try {
    first = /** @type {any} */ (await wallet.request({ method: "eth_getBlockByNumber", params: ["0x0", false] }));
  } catch {
    throw refusal(DISCONNECTED, unreachable(chain));
  }
  if (first?.hash?.toLowerCase() !== chain.first) throw refusal(DISCONNECTED, unreachable(chain));
}

/** @param {EvmDetail["provider"]} wallet @param {string} chainId @param {EvmChain} chain @param {string} network */
async function change(wallet, chainId, chain, network) {
  try {
    await wallet.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    if (codeOf(error) === REJECTED) throw error;
    if (codeOf(error) !== UNKNOWN_CHAIN) throw refusal(DISCONNECTED, unreachable(chain));
    const currency = { name: "TAO", symbol: "TAO", decimals: 18 };
    const told = { chainId, chainName: `SubnetLab ${network}`, rpcUrls: [chain.url], nativeCurrency: currency };
    await wallet.request({ method: "wallet_addEthereumChain", params: [told] });
  }
}

/** @param {EvmChain} chain */
const unreachable = (chain) =>
  `the wallet cannot reach this node at ${chain.url}: it may run on another machine than this browser`;

/** @param {unknown} error */
export const codeOf = (error) => Number(/** @type {{ code?: number }} */ (error)?.code ?? 0);

/** @param {string} rdns @param {EvmChain} chain @param {string} network @param {string} sentence */
export async function connectEvm(rdns, chain, network, sentence) {
  const [address] = /** @type {string[]} */ (await provider(rdns).request({ method: "eth_requestAccounts" }));
  if (!address) throw refusal(DISCONNECTED, "the wallet showed no account");
  await ready(rdns, chain, network);
  const data = `0x${Array.from(new TextEncoder().encode(sentence), (b) => b.toString(16).padStart(2, "0")).join("")}`;
  const signature = await provider(rdns).request({ method: "personal_sign", params: [data, address] });
  return { address, rdns, name: providers.get(rdns)?.info.name ?? rdns, signature };
}

/**
 * @param {{ rdns: string, address: string, chain: EvmChain, method: string, params: unknown[] }} asked
 * @param {EvmChain} shown the chain that this page shows
 * @param {string} network
 */
export async function requestEvm({ rdns, address, chain, method, params }, shown, network) {
  if (!ALLOWED.has(method)) throw refusal(UNSUPPORTED, `method not allowed: ${method}`);
  if (chain.id !== shown.id || chain.first !== shown.first) {
    throw refusal(UNSUPPORTED, "it is for another chain than the one that this page shows");
  }
  await ready(rdns, shown, network);
  const held = /** @type {string[]} */ (await provider(rdns).request({ method: "eth_accounts" }));
  if (!held.some((own) => own.toLowerCase() === address.toLowerCase())) {
    throw refusal(DISCONNECTED, `the wallet does not show ${address} any more`);
  }
  try {
    return await provider(rdns).request({ method, params });
  } catch (error) {
    throw Object.assign(refusal(codeOf(error), wordsOf(error)), { asked: true });
  }
}

/** @param {unknown} error */
export const wordsOf = (error) =>
  error instanceof Error ? error.message : String(/** @type {any} */ (error)?.message ?? error);
