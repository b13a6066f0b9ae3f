import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lib/paths.mjs';

export const description = '500 photos in a folder, 10 of them broken: killed in the middle, resumed; photos a minute';

const PHOTOS = 500;
const BROKEN = 10;
const SHORT_EDGE = 360;
const PROGRAM = join(ROOT, 'dist', 'cli.cjs');
const SHIPPED = join(ROOT, 'models');
const TINY = join(ROOT, 'test', 'fixtures', 'tiny-bundle');

/** One round, whatever `repeat` says: it takes minutes. Throws when a photo is lost or done twice. */
export async function run() {
  if (!existsSync(PROGRAM)) return { skipped: 'dist/cli.cjs is not there: npm run build' };
  const bundle = existsSync(join(SHIPPED, 'bundle.json')) ? SHIPPED : TINY;
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-bench-'));
  try {
    const photos = join(folder, 'photos');
    await makePhotos(photos);
    const out = join(folder, 'out');
    const args = ['retouch', photos, '--auto', '--bundle', bundle, '--out', out];
    const killed = await retouch(args, (done) => done >= PHOTOS / 2);
    const before = finished(out);
    const resumed = await retouch(args);
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
    const twice = readdirSync(out).filter((file) => /-2\.\w+$|\.tmp$/.test(file));
    const { done, failed, open } = report.counts;
    const pictures = readdirSync(out).filter((file) => file.endsWith('.psd')).length;
    if (done !== PHOTOS - BROKEN || failed !== BROKEN || open !== 0 || twice.length > 0 || pictures !== done) {
      throw new Error(`A photo was lost or done twice: ${JSON.stringify({ ...report.counts, pictures, twice })}`);
    }
    const reasons = report.photos.filter((photo) => photo.status === 'failed' && photo.failure.message).length;
    return {
      model: bundle === SHIPPED ? 'shipped' : 'tiny, random weights',
      photos: PHOTOS,
      broken: BROKEN,
      killedAfter: before,
      results: done,
      reasons,
      doneTwice: 0,
      seconds: killed.seconds + resumed.seconds,
      photosPerMinute: Math.round((60 * done) / (killed.seconds + resumed.seconds)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The sample photos in many crops, so that no two are alike, as JPEG; every fiftieth is cut short. */
async function makePhotos(folder) {
  mkdirSync(folder);
  const sharp = createRequire(import.meta.url)('sharp');
  const samples = readdirSync(join(ROOT, 'samples')).filter((file) => file.endsWith('.jpg'));
  for (let i = 0; i < PHOTOS; i++) {
    const file = join(ROOT, 'samples', samples[i % samples.length]);
    const { width, height } = await sharp(file).metadata();
    const edge = Math.min(SHORT_EDGE, width, height) - (i % 40);
    const left = (i * 7) % Math.max(1, width - edge);
    const top = (i * 11) % Math.max(1, height - edge);
    const jpeg = await sharp(file).extract({ left, top, width: edge, height: edge }).jpeg().toBuffer();
    writeFileSync(join(folder, `photo ${i}.jpg`), i % 50 === 7 ? jpeg.subarray(0, 300) : jpeg);
  }
}

function finished(out) {
  return readdirSync(out).filter((file) => file.endsWith('.json') && file !== 'report.json').length;
}

/** Runs the program to its end, or kills it without notice once `enough` photos have ended. */
function retouch(args, enough = () => false) {
  const started = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (data) => {
    text = (text + data).slice(-4000);
    const count = Number(/\[\s*(\d+)\/\d+\][^[]*$/.exec(text)?.[1] ?? 0);
    if (enough(count)) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0 || code === 1 || signal === 'SIGKILL') resolve({ seconds: (performance.now() - started) / 1000 });
      else reject(new Error(`The program ended with ${code ?? signal}: ${text.slice(-500)}`));
    });
  });
}
