import type { Session, Shape } from './backend';
import type { GraphName, Manifest } from './manifest';
import { PARAMETER_NAMES } from './params';

/** Lengths of a tensor's axes that bundle.json gives; undefined for one that may have any. */
type Expected = readonly (number | undefined)[];

/** The keys and values of all layers, as inputs ("past") or as outputs ("present") of the decoder. */
export function cacheNames(which: 'past' | 'present', layers: number): string[] {
  return Array.from({ length: layers }, (_, i) => [`${which}.${i}.key`, `${which}.${i}.value`]).flat();
}

/**
 * What bundle.json says of the shapes of a graph's inputs and outputs, by name. Where it is wrong, or was made so, memory
 * would be taken by its numbers before anything failed.
 */
function shapesOf(graph: GraphName, manifest: Manifest): Readonly<Record<string, Expected>> {
  const { hidden, layers, kvHeads, headDim, latent, imageTokens, paramTokens, vocabulary } = manifest.dimensions;
  const { photoInput, referenceInput, outputTokensFile } = manifest;
  const square = (size: number): Expected => [1, 3, size, size];
  const rows = (count: number | undefined): Expected => [1, count, hidden];
  const latents: Expected = [1, 3, latent];
  switch (graph) {
    case 'vision':
      return { image: square(photoInput.size), image_tokens: rows(imageTokens) };
    case 'params':
      return { params: [1, PARAMETER_NAMES.length], param_tokens: rows(paramTokens), latents };
    case 'embed':
      return { embeds: rows(undefined) };
    case 'decoder': {
      const cached: Expected = [1, kvHeads, undefined, headDim];
      const names = [...cacheNames('past', layers), ...cacheNames('present', layers)];
      return {
        inputs_embeds: rows(undefined),
        hidden: rows(undefined),
        ...(outputTokensFile === undefined ? { logits: [1, undefined, vocabulary] } : {}),
        ...Object.fromEntries(names.map((name) => [name, cached])),
      };
    }
    case 'style':
      return { embeds: rows(undefined), image_tokens: rows(imageTokens), style_tokens: rows(3) };
    case 'effect':
      return { image: square(photoInput.size), plan: rows(3), effect_tokens: rows(3) };
    case 'adaptor':
      return { states: [1, 3 * hidden], plan: rows(3), latents };
    case 'renderer':
      return { rgb: [undefined, 3], latents: [3, latent], out: [undefined, 3] };
    case 'encoder':
      return referenceInput
        ? { before: square(referenceInput.size), after: square(referenceInput.size), latents }
        : { latents };
  }
}

/**
 * The first input or output of a loaded graph whose shape is not the one that follows from bundle.json, in words; undefined
 * where all fit. Axes that the graph leaves open fit anything, and so does a runtime that tells no shapes.
 */
export function shapeFault(
  graph: GraphName,
  manifest: Manifest,
  { shapes }: Pick<Session, 'shapes'>,
): string | undefined {
  for (const [name, expected] of Object.entries(shapesOf(graph, manifest))) {
    const found = shapes?.get(name);
    if (found && !fits(found, expected)) return `${name} is ${shown(found)} where bundle.json says ${shown(expected)}`;
  }
  return undefined;
}

/** A shape without axes is one that the graph does not tell. */
function fits(found: Shape, expected: Expected): boolean {
  if (found.length === 0) return true;
  if (found.length !== expected.length) return false;
  return expected.every((length, axis) => {
    const own = found[axis];
    return length === undefined || typeof own !== 'number' || own < 0 || own === length;
  });
}

function shown(shape: Shape | Expected): string {
  return `[${shape.map((length) => length ?? 'any').join(', ')}]`;
}
