/**
 * Tetrahedral interpolation written a second time and differently, to test the fast one against: the fractional
 * coordinates are sorted, and the path from the cell's low to its high corner is walked one axis at a time, adding
 * the difference along each edge times that axis' fraction.
 */
export function referenceSample(data: ArrayLike<number>, size: number, color: readonly number[]): number[] {
  const vertex = (index: readonly number[]): number[] => {
    const start = 3 * (index[0] + size * (index[1] + size * index[2]));
    return [data[start], data[start + 1], data[start + 2]];
  };
  const positions = color.map((value) => Math.min(1, Math.max(0, value)) * (size - 1));
  const corner = positions.map((position) => Math.min(Math.floor(position), size - 2));
  const axes = [0, 1, 2].sort((p, q) => positions[q] - corner[q] - (positions[p] - corner[p]));
  const result = vertex(corner);
  let here = vertex(corner);
  const walk = [...corner];
  for (const axis of axes) {
    walk[axis]++;
    const next = vertex(walk);
    for (let c = 0; c < 3; c++) result[c] += (next[c] - here[c]) * (positions[axis] - corner[axis]);
    here = next;
  }
  return result;
}

/** Repeatable pseudo-random numbers in [0,1). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
