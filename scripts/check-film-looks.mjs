#!/usr/bin/env node
// Every look of a collection of film LUTs through `.cube` and back: node scripts/check-film-looks.mjs film-luts.npz
// The collection (github.com/YahiaAngelo/Film-Luts, MIT) is not part of the repository: `luts` uint16 [N, S, S, S, 3] with
// blue slowest, `names` [N]. Exits with 1 when a 16-bit value of a look does not come back.
import { execFileSync } from 'node:child_process';
import { loadTypeScript } from './lib/load-ts.mjs';
import { ensurePython } from './lib/python.mjs';

const file = process.argv[2];
if (!file) {
  console.error('Usage: node scripts/check-film-looks.mjs film-luts.npz');
  process.exit(2);
}
const DUMP = `
import json, sys, numpy
with numpy.load(sys.argv[1], allow_pickle=False) as data:
    luts = data["luts"]
    print(json.dumps({"shape": luts.shape, "names": [str(name) for name in data["names"]]}), flush=True)
    sys.stdout.buffer.write(luts.astype("<u2").tobytes())
`;
const output = execFileSync(ensurePython(), ['-c', DUMP, file], { maxBuffer: 2 ** 30 });
const end = output.indexOf(10);
const { shape, names } = JSON.parse(output.subarray(0, end).toString());
const [count, size] = shape;
const values = new Uint16Array(new Uint8Array(output.subarray(end + 1)).buffer);
const { Lut3D, formatCube, parseCube } = loadTypeScript('src/color/index.ts');

let same = 0;
let largest = 0;
for (let i = 0; i < count; i++) {
  const data = Float32Array.from(values.subarray(i * size ** 3 * 3, (i + 1) * size ** 3 * 3), (value) => value / 65535);
  const title = `${names[i]} (sRGB)`;
  const back = parseCube(formatCube(new Lut3D(size, data), { title }));
  let changed = 0;
  for (let k = 0; k < data.length; k++) {
    if (Math.round(back.lut.data[k] * 65535) !== values[i * data.length + k]) changed++;
    largest = Math.max(largest, Math.abs(back.lut.data[k] - data[k]));
  }
  if (back.lut.size === size && changed === 0) same++;
  else console.error(`${names[i]}: ${changed} values changed`);
}
console.log(`${same} of ${count} looks come back; largest change ${largest.toExponential(2)}`);
process.exitCode = same === count ? 0 : 1;
