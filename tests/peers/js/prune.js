// Hardhat brings its engine for every platform, 35 MB each: keep that of this one.
import { readdirSync, rmSync } from "node:fs";

const folder = new URL("node_modules/@nomicfoundation/", import.meta.url);
const linux = process.platform === "linux";
const libc = linux ? (process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl") : "";
const mine = `edr-${process.platform}-${process.arch}${libc}`;
for (const name of readdirSync(folder)) {
  if (name.startsWith("edr-") && !name.startsWith(mine)) {
    rmSync(new URL(name, folder), { recursive: true });
  }
}
