import { bakeInSpace, KNOWN_SPACES } from '../../color/icc';
import { Lut3D } from '../../color/lut3d';
import { throwIfCancelled } from '../cancel';
import { HostCancelledError, HostError } from '../errors';
import { type Output, type PanelApplyOptions, type PanelRetouch } from '../panelHost';
import { checkTarget } from './changeWatch';
import { bitsOf, checkSuited, type DocumentState } from './documents';
import { keepWithLayer } from './layerMetadata';
import { type CarriedOver, GROUP_NAME, handOver, layerById, takeAway } from './layers';
import { makeLookupLayer } from './lookupLayer';
import { failed, isCancellation, reasonOf } from './modalGate';
import { makePixelLayer } from './pixelLayer';
import { type ModalContext, type Photoshop, type PsDocument } from './ports';
import { PROPHOTO_PROFILE, spaceOf, SRGB_PROFILE } from './space';

/** The ways that make a layer. */
type Way = 'lookup' | 'pixels';

export interface Applied {
  readonly output: Way;
  readonly layer: number;
  readonly notes: readonly string[];
}

export interface ApplyJob {
  readonly retouch: PanelRetouch;
  readonly state: DocumentState;
  /** The layer that is replaced; it is one of this product's. */
  readonly replaces: number | undefined;
  readonly tile: number;
  readonly options: PanelApplyOptions;
}

export const EXPORTED = 'A Color Lookup layer by Layer > New Adjustment Layer > Color Lookup can load the .cube file.';

/** Every way that makes a layer failed; what there was is unchanged. */
export class NoLayer extends Error {
  constructor(
    readonly last: unknown,
    readonly notes: readonly string[],
  ) {
    super(reasonOf(last));
  }
}

/**
 * The retouch as a layer: the wished way, or the next one. Every try is one suspended state of history: it is committed
 * as a whole or taken back as a whole. Throws NoLayer, HostError or HostCancelledError with nothing changed. Within a
 * modal scope only.
 */
export async function applyAsLayer(
  ps: Photoshop,
  document: PsDocument,
  context: ModalContext,
  job: ApplyJob,
): Promise<Applied> {
  const { retouch, state } = job;
  checkTarget(ps, document, state);
  checkSuited(ps, document);
  const known = spaceOf(state.profile) !== undefined;
  const notes: string[] = [];
  const ways: Way[] = retouch.output === 'lookup' && known ? ['lookup', 'pixels'] : ['pixels'];
  if (!known)
    notes.push(
      `What numbers mean in the profile "${state.profile}" is not known, so the retouch is a pixel layer, whose colours Photoshop converts.`,
    );
  let last: unknown;
  for (const way of ways) {
    throwIfCancelled(job.options.signal);
    const suspension = await context.hostControl.suspendHistory({ documentID: document.id, name: GROUP_NAME });
    try {
      const { layer, kept } = await tryWay(way, ps, document, context, job);
      throwIfCancelled(job.options.signal);
      if (context.isCancelled) throw new HostCancelledError();
      await context.hostControl.resumeHistory(suspension, true);
      if (!kept) notes.push('Photoshop did not keep the settings with the layer: it cannot be edited again later.');
      return { output: way, layer, notes };
    } catch (error) {
      // What is still suspended when the scope is left by an error is taken back by Photoshop itself.
      if (isCancellation(error, context) || error instanceof HostError) throw error;
      await context.hostControl.resumeHistory(suspension, false);
      last = error;
      if (way === 'lookup')
        notes.push(`A Color Lookup layer did not work here (${reasonOf(error)}): the retouch is a pixel layer.`);
    }
  }
  throw new NoLayer(last, notes);
}

async function tryWay(
  way: Way,
  ps: Photoshop,
  document: PsDocument,
  context: ModalContext,
  { retouch, state, replaces, tile, options }: ApplyJob,
): Promise<{ layer: number; kept: boolean }> {
  const old = replaces === undefined ? undefined : layerById(document.layers, replaces);
  // Commands go to whatever is in front.
  const check = (): void => {
    checkTarget(ps, document, state);
  };
  let carried: CarriedOver | undefined;
  try {
    check();
    if (old) carried = await takeAway(ps, document, old);
    const { name } = retouch;
    let layer;
    if (way === 'lookup') {
      layer = await makeLookupLayer(ps, document, lutFor(retouch, state.profile), name, check);
    } else {
      const bits = bitsOf(ps, document) === 16 ? 16 : 8;
      const profile = spaceOf(state.profile) ? undefined : bits === 16 ? PROPHOTO_PROFILE : SRGB_PROFILE;
      const lut = lutFor(retouch, profile ?? state.profile);
      const { signal, onProgress } = options;
      layer = await makePixelLayer(ps, document, lut, {
        name,
        bits,
        profile,
        tile,
        context,
        signal,
        onProgress,
        check,
      });
    }
    if (carried) await handOver(ps, document, layer, carried, check);
    const { story, provenance } = retouch;
    const kept = await keepWithLayer(ps, document.id, layer.id, { title: name, story, provenance });
    return { layer: layer.id, kept };
  } finally {
    carried?.mask?.pixels.dispose();
  }
}

/** The retouch over the numbers of a profile that is known. */
export function lutFor({ lut: { size, data } }: PanelRetouch, profile: string): Lut3D {
  const lut = new Lut3D(size, data);
  const space = spaceOf(profile);
  return !space || space === KNOWN_SPACES.srgb ? lut : bakeInSpace(space, lut, size);
}

export function checkOutput(output: Output): void {
  if (output === 'lookup' || output === 'pixels' || output === 'cube') return;
  throw new HostError(
    'OUTPUT_UNKNOWN',
    `Photoshop is not asked for a file of the kind "${output}". Nothing was changed.`,
    'Apply the retouch as a layer, and save the document in that format.',
  );
}

/** What is told when not even a file was wished for. */
export function noLayerAtAll({ last }: NoLayer): Error {
  return last instanceof HostCancelledError ? last : failed(last);
}
