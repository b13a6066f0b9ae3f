import { type Triple } from '../convert';
import { readHeader, signatureAt, TagTable, viewOf } from './container';
import { type Curve, makeTransfer } from './curve';
import { IccError } from './errors';
import { inverse, type Matrix3, scaleColumns, spansSpace, transform } from './matrix';
import { recogniseSpace } from './recognise';
import { D50, type GreySpace, type KnownSpace, type RgbSpace } from './spaces';

/** What a profile says about the numbers of a document. */
export type Profile =
  /** `known` where primaries and curves are those of a known space, whatever the profile is called. */
  { readonly space: RgbSpace; readonly known: KnownSpace | undefined } | { readonly space: GreySpace };

/** Tags that hold tables for an RGB device; where there are any, they and not the matrix describe it (ICC.1, 8.2). */
const TABLE_TAGS = ['A2B0', 'A2B1', 'A2B2', 'D2B0', 'D2B1', 'D2B2', 'D2B3'];

/** Scanner, display, printer, colour space. */
const DEVICE_CLASSES = ['scnr', 'mntr', 'prtr', 'spac'];

/** Rounding of three primaries leaves white this close to D50; what is further away is meant so. */
const WHITE_ROUNDING = 5e-4;
/** Primaries further out are found in profiles of cameras, which describe no document. ACES 2065-1 stays within 1.1. */
const LARGEST_PRIMARY = 4;
/** Entries are 16-bit numbers: more of them say nothing more. */
const MAX_CURVE = 65536;

/** Number of parameters of each function type of a parametricCurveType (ICC.1:2010, table 65). */
const PARAMETER_COUNTS = [1, 3, 4, 5, 7];

/**
 * Reads an ICC profile of version 2 or 4: RGB as matrix and curves, or grey with one curve.
 *
 * Made for bytes that nobody has checked: every place and count is compared with the length first, memory is taken for
 * the entries of curves only, and tags that are not needed are not looked at. Bytes after the length that the profile
 * gives itself are ignored. Matrix and curves are as in the file, but for white, which is put on D50 where it
 * misses it by rounding only, so that neutral colours stay neutral.
 *
 * @throws IccError; its code tells what the profile cannot do from what is wrong with it
 */
export function parseProfile(bytes: Uint8Array): Profile {
  const header = readHeader(bytes);
  if (header.major !== 2 && header.major !== 4) {
    throw new IccError('ICC_VERSION', `It is of version ${header.major}; versions 2 and 4 can be read.`);
  }
  if (!DEVICE_CLASSES.includes(header.deviceClass)) {
    throw new IccError('ICC_CLASS', `It is of class "${header.deviceClass}", which describes no device or space.`);
  }
  const { colorSpace } = header;
  if (colorSpace !== 'RGB ' && colorSpace !== 'GRAY') {
    throw new IccError('ICC_COLOR_SPACE', `It is for "${colorSpace}"; RGB and grey can be done.`);
  }
  const tags = new TagTable(bytes.subarray(0, header.length));
  const tables = TABLE_TAGS.filter((name) => tags.has(name));
  if (tables.length > 0) {
    throw new IccError('ICC_LUT_BASED', `It works by tables (${tables.join(', ')}) instead of a matrix and curves.`);
  }
  if (header.connectionSpace !== 'XYZ ') {
    throw new IccError('ICC_CONNECTION_SPACE', `It is connected through "${header.connectionSpace}" instead of XYZ.`);
  }
  if (colorSpace === 'GRAY') return { space: { kind: 'grey', curve: readCurve(tags, 'kTRC') } };
  const toXyz = readMatrix(tags);
  const [r, g, b] = ['rTRC', 'gTRC', 'bTRC'].map((name) => readCurve(tags, name));
  const space: RgbSpace = { kind: 'rgb', toXyz, curves: [r, g, b] };
  return { space, known: recogniseSpace(space) };
}

function readMatrix(tags: TagTable): Matrix3 {
  const [r, g, b] = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => readXyz(tags, name));
  const matrix: Matrix3 = [
    [r[0], g[0], b[0]],
    [r[1], g[1], b[1]],
    [r[2], g[2], b[2]],
  ];
  if (!spansSpace(matrix)) {
    throw new IccError('ICC_INVALID', 'Its three primaries do not span a colour space.');
  }
  const white = transform(matrix, [1, 1, 1]);
  if (white.some((v, i) => Math.abs(v - D50[i]) > WHITE_ROUNDING)) return matrix;
  return scaleColumns(matrix, transform(inverse(matrix), D50));
}

/** XYZType (ICC.1:2010, 10.27); the first of its colours. */
function readXyz(tags: TagTable, name: string): Triple {
  const data = typedData(tags, name, ['XYZ '], 20);
  const view = viewOf(data);
  const xyz: Triple = [fixed(view, 8), fixed(view, 12), fixed(view, 16)];
  if (xyz.some((value) => Math.abs(value) > LARGEST_PRIMARY)) {
    throw new IccError('ICC_INVALID', `The tag ${name} holds ${xyz.join(', ')}, which is no primary colour.`);
  }
  return xyz;
}

function readCurve(tags: TagTable, name: string): Curve {
  const data = typedData(tags, name, ['curv', 'para'], 12);
  const curve = signatureAt(data, 0) === 'curv' ? readSampledCurve(data, name) : readParametricCurve(data, name);
  if (!makeTransfer(curve)) throw new IccError('ICC_INVALID', `The curve ${name} does not rise from dark to light.`);
  return curve;
}

/** curveType (ICC.1:2010, 10.5): no entry is the identity, one a gamma as u8Fixed8, more are a table. */
function readSampledCurve(data: Uint8Array, name: string): Curve {
  const view = viewOf(data);
  const count = view.getUint32(8);
  if (count > (data.length - 12) / 2) {
    throw new IccError('ICC_TRUNCATED', `The curve ${name} promises ${count} entries in ${data.length} bytes.`);
  }
  if (count > MAX_CURVE) {
    throw new IccError('ICC_TOO_LARGE', `The curve ${name} has ${count} entries; the limit is ${MAX_CURVE}.`);
  }
  if (count === 0) return { kind: 'gamma', gamma: 1 };
  if (count === 1) return { kind: 'gamma', gamma: view.getUint16(12) / 256 };
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint16(12 + 2 * i) / 65535;
  return { kind: 'table', values };
}

/** parametricCurveType (ICC.1:2010, 10.16). */
function readParametricCurve(data: Uint8Array, name: string): Curve {
  const view = viewOf(data);
  const type = view.getUint16(8);
  if (type >= PARAMETER_COUNTS.length) {
    throw new IccError('ICC_INVALID', `The curve ${name} is of the unknown function type ${type}.`);
  }
  const count = PARAMETER_COUNTS[type];
  if (data.length < 12 + 4 * count) {
    throw new IccError('ICC_TRUNCATED', `The curve ${name} has less than its ${count} parameters.`);
  }
  const [g, a, b, fourth, d, e, f] = Array.from({ length: 7 }, (_, i) => (i < count ? fixed(view, 12 + 4 * i) : 0));
  switch (type) {
    case 0:
      return { kind: 'gamma', gamma: g };
    // Types 1 and 2 change over where the power's base is 0; below that they are level.
    case 1:
      return { kind: 'parametric', g, a, b, c: 0, d: -b / a, e: 0, f: 0 };
    case 2:
      return { kind: 'parametric', g, a, b, c: 0, d: -b / a, e: fourth, f: fourth };
    default:
      return { kind: 'parametric', g, a, b, c: fourth, d, e, f };
  }
}

/** The data of a tag whose type is one of `types` and which has at least `least` bytes. */
function typedData(tags: TagTable, name: string, types: readonly string[], least: number): Uint8Array {
  const data = tags.data(name);
  if (data.length < least) throw new IccError('ICC_TRUNCATED', `The tag ${name} has ${data.length} bytes.`);
  const type = signatureAt(data, 0);
  if (!types.includes(type)) {
    throw new IccError('ICC_INVALID', `The tag ${name} is of type "${type}" instead of ${types.join(' or ')}.`);
  }
  return data;
}

function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65536;
}
