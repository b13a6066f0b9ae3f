const CLEAR = 256;
const END = 257;
const FIRST = 258;
const MAX_CODES = 4096;
/** No encoder writes the literal 0 so often in a row: from the third time on it has a code of its own. */
const MAX_ZEROS = 32;

/**
 * Length of what TIFF's LZW data (TIFF 6.0, section 13) holds, decoded; reading ends at `enough` bytes. Undefined where a
 * code means nothing, or where zeros stand in place of data. Data in the order of bits before TIFF 5.0, which begins
 * with 0 and an odd byte, is not looked at and counts as enough.
 */
export function lzwLength(bytes: Uint8Array, enough: number): number | undefined {
  if (bytes[0] === 0 && (bytes[1] & 1) === 1) return enough;
  const lengths = new Uint32Array(MAX_CODES).fill(1, 0, 256);
  let next = FIRST;
  let previous = -1;
  let total = 0;
  let zeros = 0;
  let held = 0;
  let bits = 0;
  let width = 9;
  for (let at = 0; at < bytes.length && total < enough;) {
    while (bits < width && at < bytes.length) {
      held = ((held << 8) | bytes[at++]) & 0xffffff;
      bits += 8;
    }
    if (bits < width) break;
    const code = (held >> (bits - width)) & ((1 << width) - 1);
    bits -= width;
    if (code === END) break;
    if (code === CLEAR) {
      next = FIRST;
      width = 9;
      previous = -1;
      continue;
    }
    zeros = code === 0 ? zeros + 1 : 0;
    if (code > next || (code === next && previous < 0) || zeros > MAX_ZEROS) return undefined;
    if (previous >= 0 && next < MAX_CODES) {
      lengths[next++] = lengths[previous] + 1;
      // One code early, as TIFF has it.
      if (next + 1 >= 1 << width && width < 12) width++;
    }
    total += lengths[code];
    previous = code;
  }
  return total;
}
