import { unreadable } from './errors';
import { MAX_PRESET_BYTES } from './values';

/** Neither XML nor Lua source can hold these; every binary format does. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const BINARY = /[\0-\x08\x0b\x0e-\x1f\uFFFE\uFFFF]/;

/**
 * The text of a preset file: UTF-8 with or without byte order mark, or UTF-16 with one. What an XML declaration says
 * of the encoding is not believed: presets are UTF-8 whatever their generator claims, and bytes that are not fail here.
 *
 * @throws PresetError PRESET_TOO_LARGE over 4 MB, before anything else is looked at; PRESET_ENCODING for what is not text
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.byteLength > MAX_PRESET_BYTES) {
    throw unreadable(
      'PRESET_TOO_LARGE',
      `It has ${bytes.byteLength} bytes; the limit is ${MAX_PRESET_BYTES}.`,
      'Check that it is a preset; one with many brushed masks can be saved again without them.',
    );
  }
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw notText(`It is not ${encoding.toUpperCase()} text.`);
  }
  if (BINARY.test(text)) throw notText('It holds bytes that no text has.');
  return text;
}

function notText(detail: string) {
  return unreadable(
    'PRESET_ENCODING',
    detail,
    'Choose an .xmp or .lrtemplate file. Presets that come as DNG photos: open one in Lightroom and save a preset there.',
  );
}
