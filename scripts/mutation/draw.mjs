import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { placesIn } from './places.mjs';

/**
 * Draws mutants, as many of each area, with one mutation for a place. The same tree and seed draw the same ones.
 * @returns {{ area, tests, file, line, start, end, kind, from, to, within, source }[]}
 */
export function draw(root, areas, count, seed) {
  const random = randomOf(seed);
  const pools = areas.map(({ name, files, tests }) => {
    const places = files.flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8');
      return placesIn(file, source).map((place) => ({ area: name, tests, file, source, ...place }));
    });
    return shuffled(places, random);
  });
  const drawn = [];
  for (let round = 0; drawn.length < count && pools.some((pool) => pool.length > round); round++) {
    for (const pool of pools) {
      if (drawn.length === count || round >= pool.length) continue;
      const { changes, ...place } = pool[round];
      drawn.push({ ...place, ...changes[Math.floor(random() * changes.length)] });
    }
  }
  return drawn.sort((a, b) => (a.area === b.area ? 0 : order(areas, a) - order(areas, b)));
}

const order = (areas, { area }) => areas.findIndex(({ name }) => name === area);

function shuffled(list, random) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/** Numbers in [0, 1) that follow from a seed: 32 bits of a counter mixed twice. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
