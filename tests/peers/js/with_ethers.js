// ethers, as its guide uses it: a provider, wallets, a contract factory, contracts, events, a call that reverts.
// Without its cache of a quarter of a second, in which a node that seals at once has sealed several blocks.
import { Contract, ContractFactory, JsonRpcProvider, Wallet, parseEther } from "ethers";
import { answer, task } from "./task.js";

const provider = new JsonRpcProvider(task.url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
const payer = new Wallet(task.key, provider);
const wallet = Wallet.createRandom().connect(provider);
const contract = ({ address, abi }) => new Contract(address, abi, wallet);

async function mined(sent) {
  return await (await sent).wait();
}

// fund
await mined(payer.sendTransaction({ to: wallet.address, value: parseEther("50") }));
const funded = await provider.getBalance(wallet.address);

// deploy and call
const box = await new ContractFactory(task.box.abi, task.box.bytecode, wallet).deploy();
await box.waitForDeployment();
await mined(box.put(7n, { value: parseEther("1") }));
const events = await box.queryFilter(box.filters.Put(), 0);
const [who, amount] = events[0].args;
const refused = await box.put.staticCall(0n).then(
  () => "",
  (error) => JSON.stringify(error.info ?? error.message),
);

// stake through 0x805, read the metagraph through 0x802
const coldkey = await contract(task.mapping).addressMapping(wallet.address);
const staking = contract(task.staking);
await mined(staking.addStake(task.hotkey, task.stake_rao, task.netuid));
const staked = await staking.getStake(task.hotkey, coldkey, task.netuid);
const metagraph = contract(task.metagraph);
const uids = await metagraph.getUidCount(task.netuid);
const hotkey = await metagraph.getHotkey(task.netuid, 0);

// withdraw
await mined(box.send_all(wallet.address));
await mined(staking.removeStakeFull(task.hotkey, task.netuid));
await mined(contract(task.transfer).transfer(task.coldkey, { value: parseEther("3") }));
const [total, left] = [await box.total(), await provider.getBalance(box)];
answer({ address: wallet.address, funded, total, who, amount, past: events.length, refused, staked, uids, hotkey, left });
provider.destroy();
