import { emptyDocument, hasVisiblePixels } from './documents';
import { type Bounds, type Photoshop, type PsDocument, type ReadPixels } from './ports';

/** A part of the document made small, whole even where Photoshop gives less of it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel; where alpha is 0 they mean nothing. */
  readonly rgb: Uint8Array;
  readonly alpha: Uint8Array;
}

export interface PictureOptions {
  readonly longEdge: number;
  /** Whole pixels within the document; all of it unless told. */
  readonly region?: Bounds | undefined;
  /** The document's own numbers unless told. */
  readonly profile?: string | undefined;
}

/**
 * Photoshop trims what it gives to where there are pixels, tells the bounds in the pixels of a smaller copy of its own,
 * and does not say whether a target size is that of the whole or of what is left: so what comes is put where its bounds
 * say, by its own size. Throws HostError DOCUMENT_EMPTY where there is nothing. Within a modal scope only.
 */
export async function readPicture(
  ps: Photoshop,
  document: PsDocument,
  { longEdge, region, profile }: PictureOptions,
): Promise<Picture> {
  const area = region ?? { left: 0, top: 0, right: document.width, bottom: document.height };
  const [areaWidth, areaHeight] = [area.right - area.left, area.bottom - area.top];
  const scale = Math.min(1, longEdge / Math.max(areaWidth, areaHeight));
  const width = Math.max(1, Math.round(areaWidth * scale));
  const height = Math.max(1, Math.round(areaHeight * scale));
  const read = await readPixels(ps, document, {
    ...(region ? { sourceBounds: region } : {}),
    ...(scale < 1 ? { targetSize: { width, height } } : {}),
    ...(profile === undefined ? {} : { colorProfile: profile }),
  });
  const { imageData, sourceBounds, level } = read;
  try {
    if (imageData.width === 0 || imageData.height === 0) throw emptyDocument();
    const { components } = imageData;
    if (components !== 3 && components !== 4) throw new Error(`pixels came with ${components} components`);
    const pixels = await imageData.getData();
    const zoom = 2 ** level;
    const from = { width: imageData.width, height: imageData.height, components, pixels };
    const to = {
      left: place((sourceBounds.left * zoom - area.left) / areaWidth, width),
      top: place((sourceBounds.top * zoom - area.top) / areaHeight, height),
      right: place((sourceBounds.right * zoom - area.left) / areaWidth, width),
      bottom: place((sourceBounds.bottom * zoom - area.top) / areaHeight, height),
    };
    return paste(from, to, width, height);
  } finally {
    imageData.dispose();
  }
}

type Wanted = Omit<Parameters<Photoshop['imaging']['getPixels']>[0], 'documentID' | 'colorSpace' | 'componentSize'>;

async function readPixels(ps: Photoshop, document: PsDocument, wanted: Wanted): Promise<ReadPixels> {
  try {
    return await ps.imaging.getPixels({ documentID: document.id, colorSpace: 'RGB', componentSize: 8, ...wanted });
  } catch (error) {
    if (!wanted.sourceBounds && !hasVisiblePixels(document.layers)) throw emptyDocument();
    throw error;
  }
}

/** A share of the area as a pixel of the picture; bounds of smaller copies are rounded and may reach beyond it. */
function place(share: number, length: number): number {
  return Math.min(length, Math.max(0, Math.round(share * length)));
}

interface Source {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly pixels: ArrayLike<number>;
}

function paste(
  { width, height, components, pixels }: Source,
  to: Bounds,
  outWidth: number,
  outHeight: number,
): Picture {
  const rgb = new Uint8Array(outWidth * outHeight * 3);
  const alpha = new Uint8Array(outWidth * outHeight);
  const [toWidth, toHeight] = [Math.max(1, to.right - to.left), Math.max(1, to.bottom - to.top)];
  // Sizes mostly agree; where they do not it is by rounding, and the nearest pixel will do.
  const column = Array.from({ length: toWidth }, (_, x) => Math.floor(((x + 0.5) * width) / toWidth));
  for (let y = 0; y < toHeight && to.top + y < outHeight; y++) {
    const row = Math.floor(((y + 0.5) * height) / toHeight) * width;
    for (let x = 0; x < toWidth && to.left + x < outWidth; x++) {
      const source = (row + column[x]) * components;
      const target = (to.top + y) * outWidth + to.left + x;
      for (let c = 0; c < 3; c++) rgb[3 * target + c] = pixels[source + c];
      alpha[target] = components === 4 ? pixels[source + 3] : 255;
    }
  }
  return { width: outWidth, height: outHeight, rgb, alpha };
}
