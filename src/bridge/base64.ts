/* Neither btoa nor Buffer is there in every world that this runs in (uxp.md, 2.1). RFC 4648, section 4. */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const PAD = 61;
const VALUES = new Uint8Array(256).fill(255);
CODES.forEach((code, value) => (VALUES[code] = value));

/** How many code units `String.fromCharCode` is given at a time: engines limit the number of arguments. */
const PIECE = 8192;

/** Bytes as base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  const codes = new Uint8Array(4 * Math.ceil(bytes.length / 3));
  let to = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    codes[to++] = CODES[word >> 18]!;
    codes[to++] = CODES[(word >> 12) & 63]!;
    codes[to++] = i + 1 < bytes.length ? CODES[(word >> 6) & 63] : PAD;
    codes[to++] = i + 2 < bytes.length ? CODES[word & 63] : PAD;
  }
  let text = '';
  for (let i = 0; i < codes.length; i += PIECE) text += String.fromCharCode(...codes.subarray(i, i + PIECE));
  return text;
}

/** The bytes of a text that `toBase64` has written; undefined for any other text. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((digits * 3) >> 2);
  let word = 0;
  let bits = 0;
  let to = 0;
  for (let i = 0; i < digits; i++) {
    const code = text.charCodeAt(i);
    const value = code < 256 ? VALUES[code] : 255;
    if (value === 255) return undefined;
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[to++] = (word >> bits) & 255;
    }
  }
  return bytes;
}
