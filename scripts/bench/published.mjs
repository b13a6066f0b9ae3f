import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, rounded } from '../lib/figures.mjs';
import { loadTypeScript } from '../lib/load-ts.mjs';
import { ROOT } from '../lib/paths.mjs';
import { ensurePython } from '../lib/python.mjs';

export const description =
  'the published architecture at its full size with random weights: our int4 on Node beside PyTorch';

const { loadNodeRuntime } = loadTypeScript('src/cli/nodeRuntime.ts');

/** 1.3 GB of weights and 0.8 GB of a bundle, which take some ten minutes to make and are kept for the next run. */
const FOLDER = process.env.VERARETOUCH_PUBLISHED_SIZE ?? join(tmpdir(), 'veraretouch-published-size');
const CHECKPOINT = join(FOLDER, 'checkpoint');
const BUNDLE = join(FOLDER, 'bundle');
/** Tokens of each of the six texts; random weights never end one themselves. */
const SECTION = 24;
const THREADS = 2;
const LUT = 33;
/** For the reference in one number type. */
const MOST_MS = Number(process.env.VERARETOUCH_PEER_MS ?? 900_000);

/** @returns medians in milliseconds of ours and of PyTorch, their ratios, the decoder's runs, and a projection for GPUs */
export async function run({ repeat }) {
  const python = ensurePython();
  prepare(python);
  const inference = loadTypeScript('src/inference/index.ts');
  const backend = inference.createOrtBackend(await loadNodeRuntime(), { device: 'node', threads: THREADS });
  const rounds = [];
  for (let i = 0; i < repeat; i++) {
    rounds.push(await round(inference, backend));
    console.error(`  round ${i + 1} of ${repeat}: ${JSON.stringify(rounds.at(-1))}`);
  }
  const ours = Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((r) => r[key]))]));
  const peer = pytorch(python, 'float32');
  const half = pytorch(python, 'bfloat16');
  const keys = ['loadMs', 'visionMs', 'prefillMs', 'tokenMs', 'renderMs'];
  const faster = Object.fromEntries(keys.map((key) => [key, Math.round((100 * peer[key]) / ours[key]) / 100]));
  return { ours, pytorch: peer, pytorchHalf: half, timesFaster: faster, projection: projection(), rounds };
}

function prepare(python) {
  if (!existsSync(CHECKPOINT)) official(python, 'synthetic', ['--out', CHECKPOINT, '--size', 'published']);
  if (existsSync(BUNDLE)) return;
  const given = ['--answers', '0', '--section', String(SECTION), '--threads', String(THREADS)];
  official(python, 'convert', [CHECKPOINT, '--out', BUNDLE, '--accept-licence', ...given]);
}

/** Times of the reference. Processors without bfloat16 of their own take minutes for a photo in it: then what was waited for. */
function pytorch(python, dtype) {
  try {
    const given = [CHECKPOINT, '--threads', String(THREADS), '--dtype', dtype];
    const figures = JSON.parse(official(python, 'timing', given, MOST_MS));
    console.error(`  PyTorch: ${JSON.stringify(figures)}`);
    return figures;
  } catch (error) {
    if (error.code !== 'ETIMEDOUT') throw error;
    return { dtype, threads: THREADS, notDoneAfterMs: MOST_MS };
  }
}

function official(python, command, given, timeout) {
  return execFileSync(python, ['-m', `veraretouch.official.${command}`, ...given], {
    cwd: join(ROOT, 'training'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(timeout === undefined ? {} : { timeout }),
  });
}

async function round({ Retoucher }, plain) {
  const decoder = { runs: 0 };
  const source = { read: (name) => readFile(join(BUNDLE, name)) };
  // The files of other devices are not read: only what is used is verified.
  const retoucher = await Retoucher.load(source, counting(plain, decoder), { verify: 'used' });
  const { latents, tokens, timingsMs } = await retoucher.auto(photo(768, 512));
  await retoucher.bakeLut(latents, { size: LUT });
  const started = performance.now();
  await retoucher.bakeLut(latents, { size: LUT });
  const renderMs = performance.now() - started;
  const again = performance.now();
  await retoucher.style(photo(768, 512), 'warm evening light');
  const secondPromptMs = performance.now() - again;
  await retoucher.dispose();
  // The answer to the second prompt has three texts, the first one six.
  const runs = decoder.first;
  return rounded({
    loadMs: retoucher.loadMs + timingsMs.load,
    visionMs: timingsMs.vision,
    prefillMs: timingsMs.prefill,
    pictureMs: timingsMs.picture,
    tokenMs: timingsMs.decode / (runs - 1),
    renderMs,
    secondPromptMs,
    answerTokens: tokens + 1,
    decoderRuns: runs,
  });
}

/** Notes how often the decoder ran in the first answer, which ends with the adaptor's run. */
function counting(backend, counts) {
  return {
    ...backend,
    createSession: async (bytes, options) => {
      const session = await backend.createSession(bytes, options);
      const decodes = session.outputNames.includes('hidden');
      const adapts = session.outputNames.includes('latents') && session.inputNames.includes('states');
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: (...given) => {
          if (decodes) counts.runs++;
          if (adapts) counts.first ??= counts.runs;
          return session.run(...given);
        },
        dispose: () => session.dispose(),
      };
    },
  };
}

/**
 * What a token must cost on a GPU at least: each weight is read once, and each node of the graph is one dispatch or more. By
 * kind of machine: bytes a second of its memory, and microseconds of a dispatch under WebGPU.
 */
function projection() {
  const machines = {
    'integrated graphics': { bytesPerSecond: 60e9, dispatchUs: 15 },
    'Apple M4': { bytesPerSecond: 120e9, dispatchUs: 8 },
    'RTX 4060 laptop': { bytesPerSecond: 256e9, dispatchUs: 8 },
  };
  const manifest = JSON.parse(readFileSync(join(BUNDLE, 'bundle.json'), 'utf8'));
  const file = manifest.graphs.decoder['webgpu-f16'] ?? manifest.graphs.decoder.default;
  const { layers, kvHeads, headDim } = manifest.dimensions;
  const cache = 2 * layers * kvHeads * headDim * 2 * 700;
  const bytes = statSync(join(BUNDLE, file)).size + cache;
  // Per layer: two norms, seven products, three biases, attention with its copies of the cache (3), four of the activation.
  const dispatches = layers * 19 + 8;
  const tokenMs = ({ bytesPerSecond, dispatchUs }) =>
    Math.round(((bytes / bytesPerSecond) * 1000 + (dispatches * dispatchUs) / 1000) * 10) / 10;
  return {
    bytesPerToken: bytes,
    dispatchesPerToken: dispatches,
    tokenMs: Object.fromEntries(Object.entries(machines).map(([name, machine]) => [name, tokenMs(machine)])),
    files: readdirSync(BUNDLE).length,
  };
}

/** A photo by formula: its content costs nothing but differs from place to place. */
function photo(width, height) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i * 31) ^ (i >> 7)) & 255);
  return { width, height, data };
}
