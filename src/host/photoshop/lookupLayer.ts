import { toBase64 } from '../../bridge/base64';
import { formatCubeBytes } from '../../color/cube-write';
import { deviceLinkProfile } from '../../color/icc';
import { type Lut3D } from '../../color/lut3d';
import { putOnTop, retouchGroup } from './layers';
import { type Picture, readPicture } from './picture';
import { play } from './play';
import { type Bounds, type Photoshop, type PsDocument, type PsLayer } from './ports';

/** Long edge of the pictures by which a layer is seen to work. */
const THUMBNAIL = 128;
/** Levels of 255. A retouch that changes less than the first nowhere shows itself in a thumbnail; one is rounding. */
const VISIBLE = 2;
const ROUNDING = 0.5;
/** Of the change that is expected, how much may be missing or wrong: scaling down comes before the LUT or after. */
const TOLERANCE = 0.5;

/**
 * A Color Lookup layer with this LUT, over the document's own numbers. Photoshop documents nothing of it: the commands
 * are those that its own actions record, it renders from the DeviceLink, and what it cannot use it takes in silence. So
 * pictures before and after are compared; throws where the layer does not do what the LUT does. `check` is called before each
 * command that goes to the document in front, and throws where that is another one.
 */
export async function makeLookupLayer(
  ps: Photoshop,
  document: PsDocument,
  lut: Lut3D,
  name: string,
  check: () => void,
): Promise<PsLayer> {
  const selection = document.selection.bounds;
  const region = selection ? within(document, selection) : undefined;
  const before = await readPicture(ps, document, { longEdge: THUMBNAIL, region });
  const group = await retouchGroup(ps, document);
  check();
  await play(ps, {
    _obj: 'make',
    _target: [{ _ref: 'adjustmentLayer' }],
    using: { _obj: 'adjustmentLayer', type: { _obj: 'colorLookup' } },
  });
  const layer = document.activeLayers.length === 1 ? document.activeLayers[0] : undefined;
  if (layer?.kind !== ps.constants.LayerKind.COLORLOOKUP) throw new Error('no Color Lookup layer was made');
  const data = dataOf(lut, name);
  check();
  await play(ps, {
    _obj: 'set',
    _target: [{ _ref: 'adjustmentLayer', _enum: 'ordinal', _value: 'targetEnum' }],
    to: {
      _obj: 'colorLookup',
      lookupType: { _enum: 'colorLookupType', _value: '3DLUT' },
      name,
      // Hides the steps that a steep LUT makes in 8 bits.
      dither: true,
      LUTFormat: { _enum: 'LUTFormatType', _value: 'LUTFormatCUBE' },
      LUT3DFileName: 'VeraRetouch.cube',
      ...data,
    },
  });
  await putOnTop(ps, layer, group);
  layer.name = name;
  const after = await readPicture(ps, document, { longEdge: THUMBNAIL, region });
  if (!doesWhatItShould(before, after, lut, region !== undefined))
    throw new Error('the Color Lookup layer does not show the retouch');
  return layer;
}

function dataOf(lut: Lut3D, title: string) {
  return {
    profile: rawData(deviceLinkProfile(lut, { form: 'mft2', description: 'VeraRetouch' })),
    LUT3DFileData: rawData(formatCubeBytes(lut, { title })),
  };
}

/** Binary data in a descriptor; as anything else they are silently of no effect. */
function rawData(bytes: Uint8Array) {
  return { _rawData: 'base64', _data: toBase64(bytes) };
}

/** A selection may reach beyond the canvas. Undefined where it does not touch it. */
export function within({ width, height }: PsDocument, bounds: Bounds): Bounds | undefined {
  const left = Math.max(0, Math.floor(bounds.left));
  const top = Math.max(0, Math.floor(bounds.top));
  const right = Math.min(width, Math.ceil(bounds.right));
  const bottom = Math.min(height, Math.ceil(bounds.bottom));
  return right > left && bottom > top ? { left, top, right, bottom } : undefined;
}

/** With a mask it is not known how much should change, only that something should. */
function doesWhatItShould(before: Picture, after: Picture, lut: Lut3D, masked: boolean): boolean {
  const wanted = lut.apply(before.rgb.slice(), 3);
  let [most, should, differs, count, changed] = [0, 0, 0, 0, false];
  for (let i = 0; i < wanted.length; i++) {
    if (before.alpha[Math.floor(i / 3)] === 0) continue;
    const expected = Math.abs(wanted[i] - before.rgb[i]);
    most = Math.max(most, expected);
    should += expected;
    differs += Math.abs(after.rgb[i] - wanted[i]);
    changed ||= after.rgb[i] !== before.rgb[i];
    count++;
  }
  if (most < VISIBLE) return true;
  return changed && (masked || differs <= TOLERANCE * should + ROUNDING * count);
}
