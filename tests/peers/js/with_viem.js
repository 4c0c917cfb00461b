// viem, as its guide uses it: clients, contracts, events, a simulated call that reverts.
import { createPublicClient, createWalletClient, defineChain, getContract, http, parseEther, parseEventLogs } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { answer, task } from "./task.js";

const chain = defineChain({
  id: task.chain_id,
  name: "devnet",
  nativeCurrency: { name: "TAO", symbol: "TAO", decimals: 18 },
  rpcUrls: { default: { http: [task.url] } },
});
const transport = http();
const reader = createPublicClient({ chain, transport, pollingInterval: 50 });
const payer = createWalletClient({ chain, transport, account: privateKeyToAccount(task.key) });
const client = createWalletClient({ chain, transport, account: privateKeyToAccount(generatePrivateKey()) });
const me = client.account.address;
const precompile = ({ address, abi }) => getContract({ address, abi, client: { public: reader, wallet: client } });

async function mined(hash) {
  const receipt = await reader.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`${hash} failed`);
  return receipt;
}

// fund
await mined(await payer.sendTransaction({ to: me, value: parseEther("50") }));
const funded = await reader.getBalance({ address: me });

// deploy and call
const { contractAddress } = await mined(await client.deployContract(task.box));
const box = getContract({ address: contractAddress, abi: task.box.abi, client: { public: reader, wallet: client } });
const put = await mined(await box.write.put([7n], { value: parseEther("1") }));
const [event] = parseEventLogs({ abi: task.box.abi, logs: put.logs });
const past = await reader.getContractEvents({ ...task.box, address: contractAddress, eventName: "Put", fromBlock: 0n });
const refused = await box.simulate.put([0n]).then(
  () => "",
  (error) => error.walk().details ?? error.walk().message,
);

// stake through 0x805, read the metagraph through 0x802
const coldkey = await precompile(task.mapping).read.addressMapping([me]);
const staking = precompile(task.staking);
await mined(await staking.write.addStake([task.hotkey, BigInt(task.stake_rao), BigInt(task.netuid)]));
const staked = await staking.read.getStake([task.hotkey, coldkey, BigInt(task.netuid)]);
const metagraph = precompile(task.metagraph);
const uids = await metagraph.read.getUidCount([task.netuid]);
const hotkey = await metagraph.read.getHotkey([task.netuid, 0]);

// withdraw
await mined(await box.write.send_all([me]));
await mined(await staking.write.removeStakeFull([task.hotkey, BigInt(task.netuid)]));
await mined(await precompile(task.transfer).write.transfer([task.coldkey], { value: parseEther("3") }));
const { who, amount } = event.args;
const [total, left] = [await box.read.total(), await reader.getBalance({ address: contractAddress })];
answer({ address: me, funded, total, who, amount, past: past.length, refused, staked, uids, hotkey, left });
