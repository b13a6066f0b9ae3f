// What the LUT bench compares with. Each peer gives its result, or { skipped: reason } where it is not there.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, openPage } from './chromium.mjs';
import { ROOT } from './paths.mjs';
import { bundleForWeb } from './web-bundle.mjs';

/** Frames a run of FFmpeg works on: its start then counts for little. */
const FRAMES = 4;

/**
 * FFmpeg's lut3d on one thread: processor time with the filter less that without it, per frame. `layout` is packed
 * (the pixels as they are) or planar (gbrp, for which it has SIMD at 16 bits; converting is not counted).
 *
 * @param {{folder: string, cube: string, width: number, height: number}} job
 */
export function ffmpeg(job, layout, pixels, repeat) {
  const version = spawnSync('ffmpeg', ['-version'], { encoding: 'utf8' });
  if (version.error) return { skipped: 'not installed: apt-get install ffmpeg' };
  const wide = pixels instanceof Uint16Array;
  const planar = layout === 'planar';
  const file = join(job.folder, `${layout}.raw`);
  writeFileSync(file, bytesOf(planar ? greenBlueRed(pixels) : pixels));
  const format = planar ? (wide ? 'gbrp16le' : 'gbrp') : wide ? 'rgb48le' : 'rgb24';
  const filter = `lut3d=file=${job.cube}:interp=tetrahedral`;
  const input = ['-f', 'rawvideo', '-pix_fmt', format, '-s', `${job.width}x${job.height}`];
  const one = ['-hide_banner', '-threads', '1', '-filter_threads', '1'];
  const cpuMs = (filters) => {
    const loop = ['-stream_loop', String(FRAMES - 1), '-i', file];
    const run = spawnSync('ffmpeg', [...one, '-benchmark', ...input, ...loop, '-vf', filters, '-f', 'null', '-'], {
      encoding: 'utf8',
    });
    const found = /utime=([\d.]+)s stime=([\d.]+)s/.exec(run.stderr ?? '');
    if (!found) throw new Error(`FFmpeg gave no times: ${run.stderr}`);
    return (Number(found[1]) + Number(found[2])) * 1000;
  };
  const times = Array.from({ length: repeat }, () => (cpuMs(filter) - cpuMs('null')) / FRAMES);
  const result = join(job.folder, `${layout}-ffmpeg.raw`);
  execFileSync('ffmpeg', [...one, '-y', ...input, '-i', file, '-vf', filter, '-f', 'rawvideo', result], {
    stdio: 'ignore',
  });
  const read = readRaw(result, pixels);
  return { version: version.stdout.split(' ')[2], times, result: planar ? redGreenBlue(read) : read };
}

/** OpenColorIO from PyPI: in the Python of VERARETOUCH_OCIO_PYTHON, else .venv, else VERARETOUCH_PYTHON or python3. */
export function openColorIO(job, pixels, repeat) {
  const own = join(ROOT, '.venv/bin/python');
  const { VERARETOUCH_OCIO_PYTHON, VERARETOUCH_PYTHON } = process.env;
  const python = VERARETOUCH_OCIO_PYTHON ?? VERARETOUCH_PYTHON ?? (existsSync(own) ? own : 'python3');
  if (spawnSync(python, ['-c', 'import PyOpenColorIO, numpy']).status !== 0) {
    return {
      skipped:
        'not installed: pip install opencolorio==2.6.0 numpy in a venv, and name its python in VERARETOUCH_OCIO_PYTHON',
    };
  }
  const [raw, result] = [join(job.folder, 'ocio-in.raw'), join(job.folder, 'ocio-out.raw')];
  writeFileSync(raw, bytesOf(pixels));
  const bits = pixels instanceof Uint16Array ? '16' : '8';
  const script = fileURLToPath(new URL('lut_ocio.py', import.meta.url));
  const args = [script, job.cube, raw, job.width, job.height, bits, repeat, result].map(String);
  const { version, ms } = JSON.parse(execFileSync(python, args, { encoding: 'utf8' }));
  return { version, times: ms, result: readRaw(result, pixels) };
}

/** Our own program on WebGPU in Chromium, with the way to the device and back; or the reason why it did not run. */
export async function webgpu({ size, data }, pixels, repeat) {
  if (!findChromium()) return { skipped: 'not installed: apt-get install chromium' };
  const { page, version, received, close } = await openPage(await bundleForWeb('test/browser/gpuPage.ts'), {
    '/pixels': bytesOf(pixels),
  });
  try {
    const job = { data: [...data], size, bits: 8 * pixels.BYTES_PER_ELEMENT, repeat };
    const { adapter, times } = await page.evaluate((given) => globalThis.gpuPage.time(given), job);
    const bytes = received('/result');
    const result = new pixels.constructor(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    return { version: `Chromium ${version}`, adapter, software: /swiftshader|llvmpipe/i.test(adapter), times, result };
  } catch (error) {
    return { skipped: `WebGPU failed: ${error.message}` };
  } finally {
    await close();
  }
}

function bytesOf(pixels) {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

function readRaw(file, like) {
  const bytes = readFileSync(file);
  return new like.constructor(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function greenBlueRed(pixels) {
  const planes = new pixels.constructor(pixels.length);
  const count = pixels.length / 3;
  [1, 2, 0].forEach((channel, plane) => {
    for (let i = 0; i < count; i++) planes[plane * count + i] = pixels[3 * i + channel];
  });
  return planes;
}

function redGreenBlue(planes) {
  const pixels = new planes.constructor(planes.length);
  const count = planes.length / 3;
  [1, 2, 0].forEach((channel, plane) => {
    for (let i = 0; i < count; i++) pixels[3 * i + channel] = planes[plane * count + i];
  });
  return pixels;
}
