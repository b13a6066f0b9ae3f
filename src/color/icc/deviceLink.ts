import { type Lut3D } from '../lut3d';
import { buildProfile, viewOf, writeAscii } from './container';
import { sequenceType, textTags } from './types-write';

export interface DeviceLinkOptions {
  /**
   * How the table is held: `mft2`, lut16Type in a version 2.4 profile (default), which every program reads; or `mAB`,
   * lutAToBType in a version 4.2 profile.
   */
  readonly form?: 'mft2' | 'mAB';
  /** Shown by programs as the profile's name; printable ASCII only in `mft2`. At most 120 characters. */
  readonly description?: string;
}

/**
 * An ICC DeviceLink profile that maps RGB numbers to RGB numbers as `lut` does: class `link`, RGB to RGB, one table
 * A2B0 with the grid of the LUT at 16 bits, its values clipped to [0,1]. Which RGB space the numbers are of it does not
 * say. Photoshop renders a Color Lookup layer from such a profile, not from the .cube text beside it.
 *
 * A program that interpolates tetrahedrally, LittleCMS among them, shows what `Lut3D.apply` gives, within a 16-bit
 * step or two. LittleCMS' optimisations, where they are left on, resample the table and move white to white.
 */
export function deviceLinkProfile(lut: Lut3D, options: DeviceLinkOptions = {}): Uint8Array {
  const { form = 'mft2', description = 'VeraRetouch' } = options;
  const version = form === 'mft2' ? 2 : 4;
  const table = form === 'mft2' ? lut16Type(lut) : lutAToBType(lut);
  return buildProfile({
    version,
    deviceClass: 'link',
    colorSpace: 'RGB ',
    connectionSpace: 'RGB ',
    tags: [...textTags(version, description), ['pseq', sequenceType(version)], ['A2B0', table]],
  });
}

/** ICC.1:2001-04, 6.5.8: an identity matrix, and curves of two points each before and after the table. */
function lut16Type(lut: Lut3D): Uint8Array {
  const curves = 3 * 2 * 2;
  const type = new Uint8Array(52 + curves + tableLength(lut) + curves);
  const view = viewOf(type);
  writeAscii(type, 0, 'mft2');
  type.set([3, 3, lut.size], 8);
  for (const diagonal of [12, 28, 44]) view.setUint32(diagonal, 0x10000);
  view.setUint16(48, 2);
  view.setUint16(50, 2);
  for (let channel = 0; channel < 3; channel++) {
    view.setUint16(54 + 4 * channel, 65535);
    view.setUint16(type.length - curves + 2 + 4 * channel, 65535);
  }
  writeTable(view, 52 + curves, lut);
  return type;
}

/**
 * ICC.1:2010, 10.10: A curves, table, B curves. Matrix and M curves are left out, which the standard allows where
 * there is a table. All six curves are the same 12 bytes, a curveType without entries, which is the identity.
 */
function lutAToBType(lut: Lut3D): Uint8Array {
  const curves = 32;
  const table = curves + 6 * 12;
  const end = table + 20 + tableLength(lut);
  const type = new Uint8Array(end);
  const view = viewOf(type);
  writeAscii(type, 0, 'mAB ');
  type.set([3, 3], 8);
  view.setUint32(12, curves);
  view.setUint32(24, table);
  view.setUint32(28, curves + 3 * 12);
  for (let curve = 0; curve < 6; curve++) writeAscii(type, curves + 12 * curve, 'curv');
  // Grid points per input, of which 13 are unused; then bytes per value.
  type.fill(lut.size, table, table + 3);
  type[table + 16] = 2;
  writeTable(view, table + 20, lut);
  return type;
}

function tableLength({ size }: Lut3D): number {
  return size ** 3 * 3 * 2;
}

/** In both forms the FIRST channel changes slowest. */
function writeTable(view: DataView, at: number, { size, data }: Lut3D): void {
  for (let r = 0; r < size; r++) {
    for (let g = 0; g < size; g++) {
      for (let b = 0; b < size; b++) {
        const point = 3 * (r + size * (g + size * b));
        for (let channel = 0; channel < 3; channel++, at += 2) {
          view.setUint16(at, Math.round(Math.min(1, Math.max(0, data[point + channel])) * 65535));
        }
      }
    }
  }
}
