'use strict';
/* Camera raw by LibRaw (libraw-wasm). */
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

/** WebAssembly memory comes in pages of 64 KB: 256 MB, up to 2 GB, the library's own bounds. */
const PAGES = { initial: 4096, maximum: 32768, shared: true };
/**
 * Adobe RGB (1998), linear, 16 bits, by the camera's white balance, nothing brightened by what the picture shows. Only
 * where its brightest value is within a tenth of what the camera states as saturation, it is taken for saturation: some
 * sensors saturate a little below, and their highlights would be pink.
 */
const SETTINGS = {
  useCameraWb: true,
  noAutoBright: true,
  adjustMaximumThr: 0.9,
  outputColor: 2,
  outputBps: 16,
  gamm: [1, 1, 0, 0, 0, 0],
};
/** LibRaw's error codes (libraw_const.h). */
const NOT_SUPPORTED = [-2, -3, -8];
const NO_MEMORY = [-100007, -100012, -100013];
/** LibRaw's own exceptions by number (libraw_types.h), as error codes: this build lets them through. */
const EXCEPTIONS = {
  1: -100007,
  2: -100008,
  3: -100008,
  4: -100009,
  5: -100009,
  8: -100009,
  9: -8,
  10: -100012,
  11: -100013,
  12: -2,
};
/** What a code says of a damaged file. */
const REASONS = { '-100008': 'its raw pixels make no sense', '-100009': 'its raw pixels end early or make no sense' };
/** No camera stores a pixel in fewer bits; the decoder would take what is missing as black. */
const LEAST_BITS = 0.25;
/** LibRaw's orientation -> clockwise degrees. */
const TURN = { 3: 180, 5: 270, 6: 90 };
const LONGEST_MESSAGE = 200;

async function open(memory, complaints) {
  const library = createRequire(__filename).resolve('libraw-wasm/dist/libraw.js');
  const { default: start } = await import(/* webpackIgnore: true */ pathToFileURL(library).href);
  return start({
    wasmMemory: memory,
    wasmBinary: readFileSync(path.join(path.dirname(library), 'libraw.wasm')),
    print: () => undefined,
    printErr: (line) => complaints.push(String(line)),
  });
}

/** Which of LibRaw's codes an exception of the library tells; undefined for any other exception. */
function codeOf(thrown, memory) {
  if (typeof thrown?.excPtr !== 'number') return undefined;
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  if (thrown.excPtr + 8 > bytes.length) return undefined;
  const own = EXCEPTIONS[view.getUint32(thrown.excPtr, true)];
  if (own !== undefined) return own;
  // std::runtime_error: its table of functions, then its text.
  const at = view.getUint32(thrown.excPtr + 4, true);
  const end = bytes.indexOf(0, at);
  if (end < at || end - at > LONGEST_MESSAGE) return undefined;
  const text = Buffer.from(bytes.slice(at, end)).toString('latin1');
  const code = /failed with code (-?\d+)/.exec(text)?.[1];
  return code === undefined ? undefined : Number(code);
}

function replyFor(thrown, memory) {
  const code = codeOf(thrown, memory);
  if (NO_MEMORY.includes(code)) return { kind: 'memory', reason: `LibRaw's code ${code}` };
  if (NOT_SUPPORTED.includes(code)) return { kind: 'unsupported', reason: `LibRaw's code ${code}` };
  if (code !== undefined) return { kind: 'damaged', reason: REASONS[code] ?? `LibRaw's code ${code}` };
  // What is thrown without a code is memory that could not be had.
  if (typeof thrown?.excPtr === 'number') return { kind: 'memory', reason: 'no memory' };
  throw thrown;
}

/** Grey of a sensor without colours becomes RGB; linear values become those of the curve. */
function toRgb(image, curve) {
  const { width, height, colors } = image;
  const count = width * height;
  if (colors === 3) {
    const data = image.data;
    for (let i = 0; i < data.length; i++) data[i] = curve[data[i]];
    return data;
  }
  const data = new Uint16Array(count * 3);
  for (let i = 0; i < count; i++) data[3 * i] = data[3 * i + 1] = data[3 * i + 2] = curve[image.data[i * colors]];
  return data;
}

/** The camera's own JPEG, where the raw pixels cannot be decoded. */
function previewOf(raw, info) {
  let preview;
  try {
    preview = raw.thumbnailData();
  } catch {
    return undefined;
  }
  if (preview?.format !== 'jpeg') return undefined;
  return {
    kind: 'preview',
    bytes: preview.data,
    turn: TURN[info.flip] ?? 0,
    sensor: [info.raw_width, info.raw_height],
  };
}

async function decodeRaw(bytes, { limits, curve }) {
  const memory = new WebAssembly.Memory(PAGES);
  const complaints = [];
  const library = await open(memory, complaints);
  const raw = new library.LibRaw();
  try {
    raw.open(bytes, SETTINGS);
  } catch (thrown) {
    return replyFor(thrown, memory);
  }
  const info = raw.metadata(false);
  const { raw_width: width, raw_height: height } = info;
  if (width * height > limits.pixels || Math.max(width, height) > limits.side)
    return { kind: 'too-large', width, height };
  if (bytes.length * 8 < width * height * LEAST_BITS) return { kind: 'damaged', reason: 'its raw pixels end early' };
  complaints.length = 0;
  let image;
  try {
    image = raw.imageData();
  } catch (thrown) {
    const reply = replyFor(thrown, memory);
    return (reply.kind === 'damaged' ? undefined : previewOf(raw, info)) ?? reply;
  }
  if (complaints.length > 0) return { kind: 'damaged', reason: complaints[0].replace(/^unknown file: /, '') };
  if (!image || image.bits !== 16 || ![1, 3].includes(image.colors)) {
    return { kind: 'unsupported', reason: `${image?.colors ?? 0} colors` };
  }
  const data = toRgb(image, curve);
  const camera = `${info.camera_make} ${info.camera_model}`.trim();
  return { kind: 'picture', width: image.width, height: image.height, channels: 3, data, camera };
}

module.exports = { decodeRaw };
