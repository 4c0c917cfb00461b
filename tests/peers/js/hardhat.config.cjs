// `hardhat node` is what the benchmark measures beside; the network `devnet` is what the test runs a script on.
require("@nomicfoundation/hardhat-ethers");

module.exports = {
  solidity: "0.8.28",
  networks: {
    hardhat: { mining: { auto: true } },
    devnet: { url: process.env.DEVNET_URL ?? "http://127.0.0.1:9944", accounts: process.env.DEVNET_KEYS?.split(",") ?? [] },
  },
};
