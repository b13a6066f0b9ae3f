#!/usr/bin/env node
// Draws the plugin's icons (plugin/icons/*.png): an aperture half in shadow, half in light. Run again after a change here.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../plugin/icons');
/** Strokes that stand out from the panel's ground; names as in the manifest. */
const INKS = { dark: '#e6e6e6', light: '#3c3c3c' };
const SIZES = { panel: 23, plugin: 24 };

const drawing = (ink) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">
  <circle cx="12" cy="12" r="8.2" fill="none" stroke="${ink}" stroke-width="1.8"/>
  <path d="M12 5.6 A6.4 6.4 0 0 1 12 18.4 Z" fill="${ink}"/>
  <path d="M20.2 1.2 l0.9 2 2 0.9 -2 0.9 -0.9 2 -0.9 -2 -2 -0.9 2 -0.9 z" fill="${ink}"/>
</svg>`;

for (const [name, size] of Object.entries(SIZES)) {
  for (const [theme, ink] of Object.entries(INKS)) {
    for (const scale of [1, 2]) {
      const side = size * scale;
      const image = sharp(Buffer.from(drawing(ink)), { density: 72 * 8 }).resize(side, side);
      await image.png({ compressionLevel: 9 }).toFile(join(folder, `${name}-${theme}@${scale}x.png`));
    }
  }
}
