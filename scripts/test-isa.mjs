#!/usr/bin/env node
// `npm run test:isa`: the Python tests as an older processor would compute them (SSE, no AVX), with one thread and with
// two. `-- tests/test_x.py` runs only those. Needs what `npm test` has installed.
import { join } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { ensurePython } from './lib/python.mjs';
import { run } from './lib/run.mjs';

/** PyTorch's own kernels, oneDNN, MKL, and NumPy's OpenBLAS. onnxruntime has no such switch. */
const OLDER = {
  ATEN_CPU_CAPABILITY: 'default',
  ONEDNN_MAX_CPU_ISA: 'SSE41',
  MKL_ENABLE_INSTRUCTIONS: 'SSE4_2',
  OPENBLAS_CORETYPE: 'Nehalem',
};

const python = ensurePython();
const given = process.argv.slice(2);
const tests = given.length > 0 ? given : ['tests'];
let failed = false;
for (const threads of ['1', '2']) {
  console.log(`\n== without AVX, ${threads} thread${threads === '1' ? '' : 's'}`);
  const env = { ...process.env, ...OLDER, OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads };
  if (run(python, ['-m', 'pytest', '-q', ...tests], { cwd: join(ROOT, 'training'), env }) !== 0) failed = true;
}
process.exitCode = failed ? 1 : 0;
