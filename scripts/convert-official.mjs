#!/usr/bin/env node
// npm run convert-official -- CHECKPOINT_DIR --out BUNDLE [--encoder-renderer FILE] [--accept-licence]
// The published VeraRetouch checkpoint as a bundle for this product (docs/official-model.md). Prepares Python first.
import { delimiter, join } from 'node:path';
import { ensurePython } from './lib/python.mjs';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

try {
  const python = ensurePython();
  const path = [join(ROOT, 'training'), process.env.PYTHONPATH].filter(Boolean).join(delimiter);
  process.exitCode = run(python, ['-m', 'veraretouch.official.convert', ...process.argv.slice(2)], {
    // Paths are meant from where the command was given.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: { ...process.env, PYTHONPATH: path },
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
