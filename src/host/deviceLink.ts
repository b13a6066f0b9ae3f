import { type Lut3D } from '../color/lut3d';

/** Length of the profile header and of the tag count (ICC.1:2001-04, sections 6.1 and 6.2). */
const HEADER = 128;
/** Longest text of a description; the field lengths below leave room for it. */
const MAX_TEXT = 120;

/**
 * An ICC DeviceLink profile (ICC.1:2001-04, version 2.4) that maps sRGB numbers to sRGB numbers as `lut` does:
 * class 'link', RGB to RGB, one lut16Type table A2B0 with the grid of the LUT. Photoshop renders a Color Lookup
 * layer from such a profile, not from the .cube text beside it.
 */
export function deviceLinkProfile(lut: Lut3D, description: string): Uint8Array {
  const text = description.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_TEXT);
  const tags: [string, Uint8Array][] = [
    ['desc', descriptionType(text)],
    ['cprt', textType('No copyright is claimed in this table.')],
    ['pseq', sequenceType()],
    ['A2B0', lut16Type(lut)],
  ];
  let offset = HEADER + 4 + 12 * tags.length;
  const places = tags.map(([, data]) => {
    const at = offset;
    offset += Math.ceil(data.length / 4) * 4;
    return at;
  });
  const profile = new Uint8Array(offset);
  const view = new DataView(profile.buffer);
  view.setUint32(0, offset);
  view.setUint32(8, 0x02400000);
  writeAscii(profile, 12, 'linkRGB RGB ');
  // A fixed date: the same retouch gives the same bytes.
  [2026, 1, 1].forEach((part, i) => {
    view.setUint16(24 + 2 * i, part);
  });
  writeAscii(profile, 36, 'acsp');
  // Illuminant D50 as s15Fixed16.
  [0xf6d6, 0x10000, 0xd32d].forEach((value, i) => {
    view.setUint32(68 + 4 * i, value);
  });
  view.setUint32(HEADER, tags.length);
  tags.forEach(([name, data], i) => {
    const entry = HEADER + 4 + 12 * i;
    writeAscii(profile, entry, name);
    view.setUint32(entry + 4, places[i]);
    view.setUint32(entry + 8, data.length);
    profile.set(data, places[i]);
  });
  return profile;
}

/** Section 6.5.8: identity matrix and curves around the table, whose FIRST channel changes slowest. */
function lut16Type({ size, data }: Lut3D): Uint8Array {
  const curves = 3 * 2 * 2;
  const type = new Uint8Array(52 + curves + size ** 3 * 6 + curves);
  const view = new DataView(type.buffer);
  writeAscii(type, 0, 'mft2');
  type.set([3, 3, size], 8);
  for (const diagonal of [12, 28, 44]) view.setUint32(diagonal, 0x10000);
  view.setUint16(48, 2);
  view.setUint16(50, 2);
  let at = 52;
  const writeCurves = (): void => {
    for (let channel = 0; channel < 3; channel++, at += 4) view.setUint16(at + 2, 65535);
  };
  writeCurves();
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
  writeCurves();
  return type;
}

/** Section 6.5.17: ASCII text; the Unicode and ScriptCode forms are left empty. */
function descriptionType(text: string): Uint8Array {
  const type = new Uint8Array(12 + text.length + 1 + 8 + 3 + 67);
  writeAscii(type, 0, 'desc');
  new DataView(type.buffer).setUint32(8, text.length + 1);
  writeAscii(type, 12, text);
  return type;
}

/** Section 6.5.18. */
function textType(text: string): Uint8Array {
  const type = new Uint8Array(8 + text.length + 1);
  writeAscii(type, 0, 'text');
  writeAscii(type, 8, text);
  return type;
}

/** Section 6.5.12: the two profiles that the link stands between, sRGB without further description. */
function sequenceType(): Uint8Array {
  const empty = descriptionType('');
  const entry = 20 + 2 * empty.length;
  const type = new Uint8Array(12 + 2 * entry);
  writeAscii(type, 0, 'pseq');
  new DataView(type.buffer).setUint32(8, 2);
  for (let i = 0; i < 2; i++) {
    type.set(empty, 12 + i * entry + 20);
    type.set(empty, 12 + i * entry + 20 + empty.length);
  }
  return type;
}

function writeAscii(target: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
}
