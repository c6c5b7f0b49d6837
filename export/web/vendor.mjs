// Copies what the page needs of its dependency into the folder `runtime`, which `npm ci` runs at its end. Many static
// hosts leave out folders named node_modules.

import { cpSync, rmSync } from "node:fs";

const PARTS = ["core/dist", "core/wasm", "wasm-utils/dist"];

rmSync("runtime", { recursive: true, force: true });
for (const part of PARTS) {
  cpSync(`node_modules/@litertjs/${part}`, `runtime/${part}`, {
    recursive: true,
    filter: (path) => !/\.(d\.ts|map)$/.test(path),
  });
}
