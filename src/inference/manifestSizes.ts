import type { Dimensions, Section } from './manifest';
import { wrong } from './manifestChecks';
import type { StaticCache } from './manifest2';

// What several numbers of bundle.json, each of them possible, come to together.

/** Tokens of one answer: ours have at most 368, and each takes from 5 to 100 ms. */
const MOST_ANSWER = 8192;
/** Numbers in one layer's keys, and in the keys and values of all layers. */
const MOST_IN_LAYER = 2 ** 29;
const MOST_IN_CACHE = 2 ** 32;

/** Throws BundleError BUNDLE_MANIFEST where the sections of an answer allow more tokens than anyone waits for. */
export function checkSections(sections: readonly Pick<Section, 'maxTokens'>[], json: unknown, where: string): void {
  const tokens = sections.reduce((sum, { maxTokens }) => sum + maxTokens, 0);
  if (tokens > MOST_ANSWER) wrong(where, json, `of at most ${MOST_ANSWER} tokens in all sections; it allows ${tokens}`);
}

/** The same where a static cache would be larger than the memory of any machine that this runs on. */
export function checkCacheSize(
  cache: StaticCache | undefined,
  { kvHeads, headDim, layers }: Pick<Dimensions, 'kvHeads' | 'headDim' | 'layers'>,
): void {
  if (!cache) return;
  const row = kvHeads * headDim;
  const most = Math.floor(Math.min(MOST_IN_LAYER / row, MOST_IN_CACHE / (2 * layers * row)));
  if (cache.positions > most) wrong('cache.positions', cache.positions, `at most ${most} with these dimensions`);
}
