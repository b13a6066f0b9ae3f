#!/usr/bin/env node
// Compiles src/color/simd/lutKernel.as to src/color/simd/kernelBytes.ts, which is committed: neither build nor tests need
// the compiler (100 MB), and bundles run from bytes. Install it for this alone, outside package.json:
//   npm install --no-save assemblyscript@0.28.20 && node scripts/build-kernel.mjs
// `--check` writes nothing and fails where the committed file is not what this compiler makes of the source.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { ROOT } from './lib/paths.mjs';

const SOURCE = join(ROOT, 'src/color/simd/lutKernel.as');
const RESULT = join(ROOT, 'src/color/simd/kernelBytes.ts');
/** Characters of base64 to a line. */
const LINE = 112;

const source = readFileSync(SOURCE, 'utf8').replaceAll('\r\n', '\n');
const bytes = await compile(source);
const text = moduleText(bytes, createHash('sha256').update(source).digest('hex'));
if (!process.argv.includes('--check')) {
  writeFileSync(RESULT, text);
  console.log(`${RESULT}: ${bytes.length} bytes of WebAssembly`);
} else if (readFileSync(RESULT, 'utf8') !== text) {
  console.error('kernelBytes.ts is not what lutKernel.as compiles to: run node scripts/build-kernel.mjs.');
  process.exitCode = 1;
}

async function compile(source) {
  const files = { 'kernel.ts': source };
  const options = [
    'kernel.ts',
    '--outFile',
    'kernel.wasm',
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
  ];
  const { error, stderr } = await asc.main(options, {
    readFile: (name) => files[name] ?? null,
    writeFile: (name, contents) => {
      files[name] = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return files['kernel.wasm'];
}

function moduleText(bytes, sha256) {
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')).map((line) => `  '${line}',`);
  return [
    '// Made by scripts/build-kernel.mjs from lutKernel.as; not to be edited.',
    '/** SHA-256 of the source, so that a test sees when this is not made from it. */',
    'export const KERNEL_SOURCE_SHA256 =',
    `  '${sha256}';`,
    '',
    '/** The WebAssembly module as base64. */',
    'export const KERNEL_BASE64 = [',
    ...lines,
    "].join('');",
    '',
  ].join('\n');
}
