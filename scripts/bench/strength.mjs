import { createRequire } from 'node:module';
import { loadTypeScript } from '../lib/load-ts.mjs';
import { openModel, readPictures } from '../lib/model.mjs';

export const description =
  'how far a photo moves as a strength goes up: monotone, smooth, exact at 0 and 1 (--photos DIR, --plot FILE.png)';

const MOST_PHOTOS = 24;
const STEPS = 41;
const KINDS = ['light', 'globalColor', 'specificColor', 'all three', 'overall'];
const SIZE = 17;

/** Mean dE2000 between photo and retouch per strength; per curve how far it falls, and its largest bend. */
export async function run({ photos, plot }) {
  const { imageDifference } = loadTypeScript('src/color/index.ts');
  const { retoucher, model } = await openModel();
  const pictures = await readPictures(photos, MOST_PHOTOS, 96);
  const curves = [];
  const exact = { zero: 0, one: 0 };
  for (const picture of pictures) {
    const { latents } = await retoucher.auto(picture);
    for (const kind of KINDS) {
      const top = kind === 'overall' ? 1 : 2;
      const points = [];
      for (let i = 0; i < STEPS; i++) {
        const strength = strengthOf(kind, (top * i) / (STEPS - 1));
        const lut = await retoucher.bakeLut(latents, { size: SIZE, strength });
        points.push(imageDifference(lut.apply(picture.data.slice(), 3), picture.data, 3).mean);
      }
      if (kind === 'all three' || kind === 'overall') exact.zero = Math.max(exact.zero, points[0]);
      curves.push({ kind, points });
    }
    const one = await retoucher.bakeLut(latents, { size: SIZE, strength: strengthOf('all three', 1) });
    const model1 = await retoucher.bakeLut(latents, { size: SIZE });
    exact.one = Math.max(exact.one, ...one.data.map((value, i) => Math.abs(value - model1.data[i])));
    console.error(`  ${curves.length / KINDS.length} of ${pictures.length}`);
  }
  await retoucher.dispose();
  if (plot) await draw(curves, plot);
  const report = {};
  for (const kind of KINDS)
    report[kind] = judge(curves.filter((curve) => curve.kind === kind).map(({ points }) => points));
  return {
    model,
    photos: pictures.length,
    steps: STEPS,
    differenceAtZero: exact.zero,
    differenceAtOne: exact.one,
    curves: report,
  };
}

function strengthOf(kind, value) {
  if (kind === 'overall') return { overall: value };
  if (kind === 'all three') return { light: value, globalColor: value, specificColor: value };
  // The others are off: what is seen is this factor alone.
  return { light: 0, globalColor: 0, specificColor: 0, [kind]: value };
}

/** In parts of each curve's own height: the deepest fall, and the largest jump beyond the steps on either side. */
function judge(all) {
  let falls = 0;
  let jump = 0;
  let monotone = 0;
  for (const points of all) {
    const height = Math.max(...points) || 1;
    let peak = 0;
    let fall = 0;
    for (const point of points) {
      peak = Math.max(peak, point);
      fall = Math.max(fall, (peak - point) / height);
    }
    if (fall < 0.02) monotone++;
    falls = Math.max(falls, fall);
    for (let i = 2; i < points.length - 1; i++) {
      const [a, b, c] = [points[i - 1] - points[i - 2], points[i] - points[i - 1], points[i + 1] - points[i]];
      jump = Math.max(jump, (Math.abs(b) - Math.max(Math.abs(a), Math.abs(c))) / height);
    }
  }
  return { monotone: `${monotone} of ${all.length}`, deepestFall: round(falls), largestJump: round(jump) };
}

async function draw(curves, file) {
  const [width, height, gap] = [360, 240, 40];
  const panels = KINDS.map((kind, i) => {
    const own = curves.filter((curve) => curve.kind === kind);
    const most = Math.max(...own.flatMap(({ points }) => points)) || 1;
    const lines = own.map(({ points }) => {
      const path = points.map(
        (y, x) => `${((x / (STEPS - 1)) * width).toFixed(1)},${(height - (y / most) * height).toFixed(1)}`,
      );
      return `<polyline points="${path.join(' ')}" fill="none" stroke="#4ea1ff" stroke-opacity="0.55"/>`;
    });
    const x = gap + (i % 3) * (width + gap);
    const y = gap + Math.floor(i / 3) * (height + 2 * gap);
    const one = kind === 'overall' ? width : width / 2;
    return `<g transform="translate(${x},${y})"><rect width="${width}" height="${height}" fill="#1b1b1b"/>
<line x1="${one}" x2="${one}" y2="${height}" stroke="#777" stroke-dasharray="4 4"/>${lines.join('')}
<text y="-8" fill="#ddd">${kind}: dE2000 up to ${most.toFixed(1)}</text>
<text y="${height + 18}" fill="#999">0</text><text x="${one - 4}" y="${height + 18}" fill="#999">1</text></g>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${3 * width + 4 * gap}" height="${2 * height + 5 * gap}" font-family="DejaVu Sans, Arial, sans-serif" font-size="14"><rect width="100%" height="100%" fill="#111"/>${panels.join('')}</svg>`;
  await createRequire(import.meta.url)('sharp')(Buffer.from(svg))
    .png()
    .toFile(file);
}

function round(value) {
  return Math.round(value * 1e4) / 1e4;
}
