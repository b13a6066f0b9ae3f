// One file through one reader, in a process of its own: node read-hostile.mjs preset|cube|icc FILE. Prints what became of it,
// the milliseconds of
// processor time, and by how many MB the process grew beyond the file itself.
import { readFileSync } from 'node:fs';
import { loadTypeScript } from './load-ts.mjs';

const [kind, file] = process.argv.slice(2);
const { parseProfile, parseCube, VeraRetouchError } = loadTypeScript('src/color/index.ts');
const { parsePreset } = loadTypeScript('src/inference/presets/index.ts');
const bytes = new Uint8Array(readFileSync(file));
const readers = {
  preset: () => parsePreset(bytes),
  cube: () => parseCube(new TextDecoder().decode(bytes)),
  icc: () => parseProfile(bytes),
};
const peak = () => process.resourceUsage().maxRSS / 1024;
const before = peak();
// Processor time: what the work costs on a machine with other work too.
const started = process.cpuUsage();
let error;
try {
  readers[kind]();
} catch (thrown) {
  if (!(thrown instanceof VeraRetouchError)) throw thrown;
  error = `${thrown.code}: ${thrown.message.slice(0, 120)}`;
}
const { user, system } = process.cpuUsage(started);
console.log(JSON.stringify({ error, ms: Math.round((user + system) / 1000), mb: Math.round(peak() - before) }));
