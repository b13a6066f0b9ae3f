import { type Lut3D } from '../../color/lut3d';
import { throwIfCancelled } from '../cancel';
import { HostCancelledError } from '../errors';
import { makeMask, putOnTop, retouchGroup } from './layers';
import { type Picture, readPicture } from './picture';
import {
  type Bounds,
  type ModalContext,
  type Photoshop,
  type PsDocument,
  type PsLayer,
  type ReadPixels,
} from './ports';

/** Long edge of the picture by which empty places are known. */
const THUMBNAIL = 256;

export interface PixelLayerOptions {
  readonly name: string;
  readonly bits: 8 | 16;
  /** What the LUT's numbers are in; undefined for the document's own. Photoshop converts there and back. */
  readonly profile: string | undefined;
  /** Pixels of a tile's edge: what is in memory at once. */
  readonly tile: number;
  /** Called before a command that goes to the document in front; throws where that is another one. */
  readonly check: () => void;
  readonly context: ModalContext;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** All that is seen, retouched, as pixels on a layer of their own; a selection becomes its mask. */
export async function makePixelLayer(
  ps: Photoshop,
  document: PsDocument,
  lut: Lut3D,
  options: PixelLayerOptions,
): Promise<PsLayer> {
  const overview = await readPicture(ps, document, { longEdge: THUMBNAIL });
  const selected = document.selection.bounds !== null;
  const group = await retouchGroup(ps, document);
  const layer = await document.createPixelLayer({ name: options.name });
  if (!layer) throw new Error('no pixel layer was made');
  await putOnTop(ps, layer, group);
  // Before the pixels: a selection that is still there might keep them from its outside.
  if (selected) {
    options.check();
    await makeMask(ps, 'revealSelection');
  }
  const tiles = tilesOf(document, options.tile);
  for (const [i, tile] of tiles.entries()) {
    throwIfCancelled(options.signal);
    if (options.context.isCancelled) throw new HostCancelledError();
    await retouchTile(ps, document, layer.id, lut, tile, overview, options);
    const share = (i + 1) / tiles.length;
    options.context.reportProgress({ value: share });
    options.onProgress?.(share);
  }
  return layer;
}

async function retouchTile(
  ps: Photoshop,
  document: PsDocument,
  layerID: number,
  lut: Lut3D,
  tile: Bounds,
  overview: Picture,
  { bits, profile }: PixelLayerOptions,
): Promise<void> {
  const colorProfile = profile === undefined ? {} : { colorProfile: profile };
  const range = bits === 16 ? { fullRange: true } : {};
  const read = await readTile(ps, document, tile, overview, { componentSize: bits, ...colorProfile });
  if (!read) return;
  let made: { dispose(): void } | undefined;
  try {
    const { width, height, components, componentSize } = read.imageData;
    if (width === 0 || height === 0) return;
    if ((components !== 3 && components !== 4) || componentSize !== bits)
      throw new Error(`pixels came with ${components} components of ${componentSize} bits`);
    const data = await read.imageData.getData(range);
    lut.apply(data, components);
    const imageData = await ps.imaging.createImageDataFromBuffer(data, {
      ...{ width, height, components, colorSpace: 'RGB', ...colorProfile, ...range },
    });
    made = imageData;
    const { left, top } = read.sourceBounds;
    const targetBounds = { left, top };
    await ps.imaging.putPixels({ documentID: document.id, layerID, imageData, replace: false, targetBounds });
  } finally {
    read.imageData.dispose();
    made?.dispose();
  }
}

/** Photoshop may refuse to read where there is no pixel. Such a tile has nothing to retouch: undefined. */
async function readTile(
  ps: Photoshop,
  document: PsDocument,
  tile: Bounds,
  overview: Picture,
  wanted: { componentSize: 8 | 16; colorProfile?: string },
): Promise<ReadPixels | undefined> {
  const read = (sourceBounds: Bounds): Promise<ReadPixels> =>
    ps.imaging.getPixels({ documentID: document.id, colorSpace: 'RGB', sourceBounds, ...wanted });
  // One pixel of the overview more on each side, for what scaling has rounded away.
  const [marginX, marginY] = [document.width / overview.width, document.height / overview.height].map(Math.ceil);
  const around = {
    left: Math.max(0, tile.left - marginX),
    top: Math.max(0, tile.top - marginY),
    right: Math.min(document.width, tile.right + marginX),
    bottom: Math.min(document.height, tile.bottom + marginY),
  };
  if (isEmpty(document, around, overview)) return undefined;
  try {
    return await read(tile);
  } catch (error) {
    // It may be empty beside something that is not: then its surroundings can be read, and show nothing there.
    if (await isBlank(await read(around), tile)) return undefined;
    throw error;
  }
}

/** Have the surroundings of a tile no pixel within it? */
async function isBlank({ imageData, sourceBounds }: ReadPixels, tile: Bounds): Promise<boolean> {
  try {
    const { width, height, components } = imageData;
    if (components !== 4) return false;
    const data = await imageData.getData();
    for (let y = 0; y < height; y++) {
      const row = sourceBounds.top + y;
      if (row < tile.top || row >= tile.bottom) continue;
      for (let x = 0; x < width; x++) {
        const column = sourceBounds.left + x;
        if (column >= tile.left && column < tile.right && data[4 * (y * width + x) + 3] > 0) return false;
      }
    }
    return true;
  } finally {
    imageData.dispose();
  }
}

function isEmpty({ width, height }: PsDocument, area: Bounds, overview: Picture): boolean {
  const [scaleX, scaleY] = [overview.width / width, overview.height / height];
  const [left, right] = [Math.floor(area.left * scaleX), Math.ceil(area.right * scaleX)];
  const [top, bottom] = [Math.floor(area.top * scaleY), Math.ceil(area.bottom * scaleY)];
  for (let y = top; y < Math.min(overview.height, bottom); y++) {
    for (let x = left; x < Math.min(overview.width, right); x++) {
      if (overview.alpha[y * overview.width + x] > 0) return false;
    }
  }
  return true;
}

function tilesOf({ width, height }: PsDocument, size: number): Bounds[] {
  const tiles: Bounds[] = [];
  for (let top = 0; top < height; top += size) {
    for (let left = 0; left < width; left += size) {
      tiles.push({ left, top, right: Math.min(width, left + size), bottom: Math.min(height, top + size) });
    }
  }
  return tiles;
}
