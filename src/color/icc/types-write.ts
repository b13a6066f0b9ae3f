import { viewOf, writeAscii } from './container';
import { type Curve, makeTransfer, type Parameters } from './curve';

/*
 * The data of single tags, as bytes. References: ICC.1:2001-04 section 6.5 for version 2, ICC.1:2010 section 10 for
 * version 4.
 */

const COPYRIGHT = 'No copyright is claimed in this table.';
/** Longest description; hosts show it in menus. */
const MAX_TEXT = 120;
/** Points of a curve that version 2 cannot hold as a formula: its error is below a tenth of a 16-bit step. */
const SAMPLED_CURVE = 4096;

/** `desc` and `cprt`, which every profile has. */
export function textTags(version: 2 | 4, description: string): [string, Uint8Array][] {
  return [
    ['desc', nameType(version, description)],
    ['cprt', version === 2 ? textType(COPYRIGHT) : unicodeType(COPYRIGHT)],
  ];
}

function nameType(version: 2 | 4, text: string): Uint8Array {
  return version === 2 ? descriptionType(text) : unicodeType(text);
}

/** Version 2: ASCII text, with the Unicode and ScriptCode forms left empty. */
function descriptionType(description: string): Uint8Array {
  const text = description.replace(/[^\x20-\x7e]/gu, '?').slice(0, MAX_TEXT);
  const type = new Uint8Array(12 + text.length + 1 + 8 + 3 + 67);
  writeAscii(type, 0, 'desc');
  viewOf(type).setUint32(8, text.length + 1);
  writeAscii(type, 12, text);
  return type;
}

function textType(text: string): Uint8Array {
  const type = new Uint8Array(8 + text.length + 1);
  writeAscii(type, 0, 'text');
  writeAscii(type, 8, text);
  return type;
}

/** Version 4: multiLocalizedUnicodeType with one record, American English, UTF-16. */
function unicodeType(description: string): Uint8Array {
  // By whole characters: half a pair is no valid text.
  const text = Array.from(description).slice(0, MAX_TEXT).join('').toWellFormed();
  const type = new Uint8Array(28 + 2 * text.length);
  const view = viewOf(type);
  writeAscii(type, 0, 'mluc');
  view.setUint32(8, 1);
  view.setUint32(12, 12);
  writeAscii(type, 16, 'enUS');
  view.setUint32(20, 2 * text.length);
  view.setUint32(24, 28);
  for (let i = 0; i < text.length; i++) view.setUint16(28 + 2 * i, text.charCodeAt(i));
  return type;
}

/** The two ends that a device link stands between, without further description. */
export function sequenceType(version: 2 | 4): Uint8Array {
  const empty = nameType(version, '');
  const entry = 20 + 2 * empty.length;
  const type = new Uint8Array(12 + 2 * entry);
  writeAscii(type, 0, 'pseq');
  viewOf(type).setUint32(8, 2);
  for (let i = 0; i < 2; i++) {
    type.set(empty, 12 + i * entry + 20);
    type.set(empty, 12 + i * entry + 20 + empty.length);
  }
  return type;
}

/** s15Fixed16 numbers under a type's name: XYZType (`XYZ `) or s15Fixed16ArrayType (`sf32`). */
export function fixedType(name: 'XYZ ' | 'sf32', steps: readonly number[]): Uint8Array {
  const type = new Uint8Array(8 + 4 * steps.length);
  writeAscii(type, 0, name);
  steps.forEach((value, i) => {
    viewOf(type).setInt32(8 + 4 * i, value);
  });
  return type;
}

/** A number as count of 1/65536. */
export function fixedSteps(value: number): number {
  return Math.round(value * 65536);
}

/** A curve as curveType, or in version 4, where it is a formula, as parametricCurveType. */
export function curveType(version: 2 | 4, curve: Curve): Uint8Array {
  if (curve.kind === 'table') return sampledType(curve.values);
  if (version === 4) return parametricType(curve);
  if (curve.kind === 'gamma' && Number.isInteger(curve.gamma * 256)) return gammaType(curve.gamma);
  const transfer = makeTransfer(curve);
  return sampledType(
    Float64Array.from({ length: SAMPLED_CURVE }, (_, i) => transfer?.toLinear(i / (SAMPLED_CURVE - 1)) ?? 0),
  );
}

function gammaType(gamma: number): Uint8Array {
  const type = new Uint8Array(14);
  writeAscii(type, 0, 'curv');
  viewOf(type).setUint32(8, 1);
  viewOf(type).setUint16(12, gamma * 256);
  return type;
}

function sampledType(values: ArrayLike<number>): Uint8Array {
  const type = new Uint8Array(12 + 2 * values.length);
  const view = viewOf(type);
  writeAscii(type, 0, 'curv');
  view.setUint32(8, values.length);
  for (let i = 0; i < values.length; i++) {
    view.setUint16(12 + 2 * i, Math.round(Math.min(1, Math.max(0, values[i])) * 65535));
  }
  return type;
}

/** Function type 0 for a gamma, 4 for everything else. */
function parametricType(curve: { kind: 'gamma'; gamma: number } | ({ kind: 'parametric' } & Parameters)): Uint8Array {
  const parameters =
    curve.kind === 'gamma' ? [curve.gamma] : [curve.g, curve.a, curve.b, curve.c, curve.d, curve.e, curve.f];
  const type = new Uint8Array(12 + 4 * parameters.length);
  const view = viewOf(type);
  writeAscii(type, 0, 'para');
  view.setUint16(8, curve.kind === 'gamma' ? 0 : 4);
  parameters.forEach((value, i) => {
    view.setInt32(12 + 4 * i, fixedSteps(value));
  });
  return type;
}
