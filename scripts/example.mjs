#!/usr/bin/env node
// The picture of the README: a photo before and after, with the reasoning that the model wrote about it.
//   node scripts/example.mjs PHOTO RESULT.png OUT.jpg     (RESULT.json must lie beside RESULT.png)
import { readFileSync } from 'node:fs';
import sharp from 'sharp';

const [photo, result, out] = process.argv.slice(2);
if (!out) {
  console.error('Usage: node scripts/example.mjs PHOTO RESULT.png OUT.jpg');
  process.exit(2);
}
const { reasoning, mode } = JSON.parse(readFileSync(result.replace(/\.png$/, '.json'), 'utf8'));
const [WIDTH, GAP, LINE, SIZE] = [560, 16, 26, 17];
const FACTORS = [
  ['light', 'Light'],
  ['globalColor', 'Colour'],
  ['specificColor', 'Single colours'],
];

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

/** Words of a text in lines of at most `most` characters. */
function wrap(text, most) {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1).length + word.length > most) lines.push('');
    lines[lines.length - 1] += `${lines.at(-1) ? ' ' : ''}${word}`;
  }
  return lines;
}

const rows = [['Seen', reasoning.elements, false]];
for (const [key, title] of FACTORS) rows.push([title, reasoning.problems[key], false], ['', reasoning.plan[key], true]);
let y = LINE;
const text = [];
for (const [title, words, plan] of rows.filter(([, words]) => words)) {
  if (title) text.push(`<text x="0" y="${y}" fill="#8a8a8a">${title}</text>`);
  for (const line of wrap(plan ? `→ ${words}` : words, 100)) {
    text.push(`<text x="150" y="${y}" fill="${plan ? '#ffffff' : '#c8c8c8'}">${escape(line)}</text>`);
    y += LINE;
  }
  if (plan) y += 6;
}
const total = 2 * WIDTH + 3 * GAP;
const pictures = await Promise.all(
  [photo, result].map((file) => sharp(file).rotate().resize({ width: WIDTH }).png().toBuffer()),
);
const { height } = await sharp(pictures[0]).metadata();
const svg =
  `<svg xmlns="http://www.w3.org/2000/svg" width="${total - 2 * GAP}" height="${y}" ` +
  `font-family="DejaVu Sans, Arial, sans-serif" font-size="${SIZE}">${text.join('')}</svg>`;
await sharp({ create: { width: total, height: height + y + 2 * GAP, channels: 3, background: '#1e1e1e' } })
  .composite([
    ...pictures.map((input, i) => ({ input, left: GAP + i * (WIDTH + GAP), top: GAP })),
    { input: Buffer.from(svg), left: GAP, top: height + GAP + 6 },
  ])
  .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
  .toFile(out);
console.log(`${out}: ${mode}, ${total} x ${height + y + 2 * GAP} pixels`);
