import { HostError } from '../errors';
import { UNTOUCHED } from './documents';
import { play } from './play';
import { type ImageData, type Photoshop, type PsDocument, type PsLayer } from './ports';

export const GROUP_NAME = 'VeraRetouch';

/** A layer anywhere in the document. */
export function layerById(layers: ArrayLike<PsLayer>, id: number): PsLayer | undefined {
  for (const layer of Array.from(layers)) {
    if (layer.id === id) return layer;
    const inside = layer.layers ? layerById(layer.layers, id) : undefined;
    if (inside) return inside;
  }
  return undefined;
}

/** The one layer that is selected. */
export function selectedLayer(document: PsDocument): PsLayer | undefined {
  return document.activeLayers.length === 1 ? document.activeLayers[0] : undefined;
}

/**
 * The group that retouches go into: the topmost layer when it is one, else a new one on top. A retouch was made for all
 * that is seen, so it must lie above all of it; a group of that name further down, hidden, faded, locked or isolated
 * from what is below would show another picture, and is left alone.
 */
export async function retouchGroup(ps: Photoshop, document: PsDocument): Promise<PsLayer> {
  const { LayerKind, BlendMode, ElementPlacement } = ps.constants;
  const first = document.layers.length > 0 ? document.layers[0] : undefined;
  const usable =
    first?.name === GROUP_NAME &&
    first.kind === LayerKind.GROUP &&
    first.visible &&
    !first.allLocked &&
    first.opacity === 100 &&
    first.blendMode === BlendMode.PASSTHROUGH;
  if (usable) return first;
  const group = await document.createLayerGroup({ name: GROUP_NAME, blendMode: BlendMode.PASSTHROUGH });
  if (!group) throw new Error('no layer group was made');
  if (document.layers[0].id !== group.id) await group.move(document.layers[0], ElementPlacement.PLACEBEFORE);
  if (document.layers[0].id !== group.id) throw new Error('the layer group did not come to lie on top');
  return group;
}

/** Where inside of a group "inside" is, Photoshop does not say: so the place is looked at afterwards. */
export async function putOnTop(ps: Photoshop, layer: PsLayer, group: PsLayer): Promise<void> {
  const { PLACEINSIDE, PLACEBEFORE } = ps.constants.ElementPlacement;
  const isOnTop = (): boolean => !!group.layers && group.layers.length > 0 && group.layers[0].id === layer.id;
  if (layer.parent?.id !== group.id) await layer.move(group, PLACEINSIDE);
  if (!isOnTop() && group.layers && group.layers.length > 0) await layer.move(group.layers[0], PLACEBEFORE);
  if (!isOnTop()) throw new Error('the layer did not come to lie on top of its group');
}

/** What of an earlier retouch's layer is the person's own doing, and goes over to the layer that replaces it. */
export interface CarriedOver {
  readonly opacity: number;
  readonly blendMode: string;
  /** Pixels of Photoshop, and where in the document their upper left one lies. */
  readonly mask: { readonly pixels: ImageData; readonly left: number; readonly top: number } | undefined;
}

/** Takes the layer away. A mask in the result holds memory of Photoshop until its pixels are disposed of. */
export async function takeAway(ps: Photoshop, document: PsDocument, layer: PsLayer): Promise<CarriedOver> {
  if (layer.allLocked || layer.parent?.allLocked)
    throw new HostError(
      'LAYER_LOCKED',
      `The layer "${layer.name}", which holds the earlier retouch, is locked. ${UNTOUCHED}`,
      'Unlock it in the Layers panel (and its group), or make a retouch of its own.',
    );
  const { opacity, blendMode, parent } = layer;
  // A selection that is there now becomes the mask instead.
  const masked = document.selection.bounds === null && (await hasMask(ps, document, layer));
  const read = masked
    ? await ps.imaging.getLayerMask({ documentID: document.id, layerID: layer.id, kind: 'user' })
    : undefined;
  try {
    await layer.delete();
    if (parent?.name === GROUP_NAME && parent.layers?.length === 0 && document.layers[0].id !== parent.id)
      await parent.delete();
  } catch (error) {
    read?.imageData.dispose();
    throw error;
  }
  const mask = read && { pixels: read.imageData, left: read.sourceBounds.left, top: read.sourceBounds.top };
  return { opacity, blendMode, mask };
}

/** Gives it to the new layer, which must be the selected one; `check` throws where its document is not in front. */
export async function handOver(
  ps: Photoshop,
  document: PsDocument,
  layer: PsLayer,
  carried: CarriedOver,
  check: () => void,
): Promise<void> {
  if (carried.opacity !== layer.opacity) layer.opacity = carried.opacity;
  if (carried.blendMode !== layer.blendMode) layer.blendMode = carried.blendMode;
  if (!carried.mask) return;
  if (!(await hasMask(ps, document, layer))) {
    check();
    await makeMask(ps, 'revealAll');
  }
  const { pixels, left, top } = carried.mask;
  await ps.imaging.putLayerMask({
    ...{ documentID: document.id, layerID: layer.id, imageData: pixels, replace: true },
    targetBounds: { left, top },
  });
}

/** Of the selected layer. `revealSelection` uses the selection up, as Photoshop does for adjustment layers. */
export async function makeMask(ps: Photoshop, what: 'revealSelection' | 'revealAll'): Promise<void> {
  await play(ps, {
    _obj: 'make',
    new: { _class: 'channel' },
    at: { _ref: 'channel', _enum: 'channel', _value: 'mask' },
    using: { _enum: 'userMaskEnabled', _value: what },
  });
}

async function hasMask(ps: Photoshop, document: PsDocument, layer: PsLayer): Promise<boolean> {
  const { hasUserMask } = await play(ps, {
    _obj: 'get',
    _target: [{ _property: 'hasUserMask' }, { _ref: 'layer', _id: layer.id }, { _ref: 'document', _id: document.id }],
  });
  return hasUserMask === true;
}
