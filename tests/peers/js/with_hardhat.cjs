// A hardhat 2 script: the signers of the configured network, getContractFactory, getContractAt, the network's RPC.
const { readFileSync } = require("node:fs");
const { ethers, network } = require("hardhat");

const task = JSON.parse(readFileSync(process.env.TASK, "utf8"));

async function main() {
  // fund: the configured keys are the payer and the one who works
  const [payer, signer] = await ethers.getSigners();
  const mined = async (sent) => await (await sent).wait();
  await mined(payer.sendTransaction({ to: signer.address, value: ethers.parseEther("50") }));
  const funded = await ethers.provider.getBalance(signer.address);

  // deploy and call
  const factory = await ethers.getContractFactory(task.box.abi, task.box.bytecode, signer);
  const box = await factory.deploy();
  await box.waitForDeployment();
  await mined(box.put(7n, { value: ethers.parseEther("1") }));
  const events = await box.queryFilter("Put", 0);
  const [who, amount] = events[0].args;
  const refused = await box.put.staticCall(0n).then(
    () => "",
    (error) => error.message,
  );

  // stake through 0x805, read the metagraph through 0x802
  const at = ({ address, abi }) => ethers.getContractAt(abi, address, signer);
  const coldkey = await (await at(task.mapping)).addressMapping(signer.address);
  const staking = await at(task.staking);
  await mined(staking.addStake(task.hotkey, task.stake_rao, task.netuid));
  const staked = await staking.getStake(task.hotkey, coldkey, task.netuid);
  const metagraph = await at(task.metagraph);
  const uids = await metagraph.getUidCount(task.netuid);
  const hotkey = await metagraph.getHotkey(task.netuid, 0);

  // withdraw
  await mined(box.send_all(signer.address));
  await mined(staking.removeStakeFull(task.hotkey, task.netuid));
  await mined((await at(task.transfer)).transfer(task.coldkey, { value: ethers.parseEther("3") }));
  if ((await network.provider.send("eth_accounts")).length !== 2) throw new Error("hardhat lists its keys");
  const [total, left] = [await box.total(), await ethers.provider.getBalance(box)];
  const found = { address: signer.address, funded, total, who, amount, past: events.length, refused, staked, uids, hotkey, left };
  console.log(JSON.stringify(found, (_, value) => (typeof value === "bigint" ? value.toString() : value)));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
