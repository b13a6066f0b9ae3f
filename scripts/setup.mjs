#!/usr/bin/env node
// Installs what the build and the tests need, where it is missing or out of date: Node packages, Python packages, Chromium.
// Plain Node, no packages: it must run in a fresh clone. A further need becomes one more step here.
import { ensureChromium } from './lib/chromium.mjs';
import { ensureNodePackages } from './lib/node-packages.mjs';
import { ensurePython } from './lib/python.mjs';

try {
  ensureNodePackages();
  console.log(`Python: ${ensurePython()}`);
  console.log(`Chromium: ${ensureChromium()}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
