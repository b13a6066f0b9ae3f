'use strict';
/*
 * A thread that decodes one photo with a WebAssembly library and ends. It is a thread, because the libraries cannot be
 * stopped half-way: ending the thread stops them and gives their memory back. Plain CommonJS, so that the same file runs
 * from the source and, packed by webpack, beside the command line. The libraries stay unmodified files of their own
 * packages, which can be replaced, as their licences (LGPL) ask for.
 *
 * workerData: { kind: 'raw' | 'heic', file, limits: { bytes, pixels, side }, curve? }
 * Answers one message, { kind: ... }: `picture`, `preview` (raw), `too-large`, `too-long`, `unsupported`, `damaged`,
 * `memory`, `high-dynamic-range`. Their fields: DecoderReply in decodeThread.ts.
 */
const { fstatSync, openSync, closeSync, readSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { decodeHeic } = require('./heicDecoder.cjs');
const { decodeRaw } = require('./rawDecoder.cjs');

// Both libraries are given their own bytes and have nothing to fetch.
globalThis.fetch = undefined;

/** The whole file, if it is an ordinary one within the limit. */
function bytesOf(file, limit) {
  const handle = openSync(file, 'r');
  try {
    const info = fstatSync(handle);
    if (!info.isFile()) return { refused: { kind: 'damaged', reason: 'it is no longer an ordinary file' } };
    if (info.size > limit) return { refused: { kind: 'too-long', bytes: info.size } };
    const bytes = new Uint8Array(info.size);
    for (let at = 0; at < bytes.length;) {
      const read = readSync(handle, bytes, at, bytes.length - at, at);
      if (read === 0) return { refused: { kind: 'damaged', reason: 'it became shorter while it was read' } };
      at += read;
    }
    return { bytes };
  } finally {
    closeSync(handle);
  }
}

async function answer() {
  const { bytes, refused } = bytesOf(workerData.file, workerData.limits.bytes);
  if (refused) return refused;
  return workerData.kind === 'raw' ? decodeRaw(bytes, workerData) : decodeHeic(bytes, workerData);
}

answer().then(
  (reply) => {
    const data = reply.data ?? reply.bytes;
    parentPort.postMessage(reply, ArrayBuffer.isView(data) ? [data.buffer] : []);
  },
  (error) => {
    // A trap of the library or memory that cannot be had, most of the time: a file that is not whole.
    const memory = /memory|allocation|out of bounds array/i.test(String(error));
    const reason = error instanceof Error ? error.message : 'the decoder gave up on it';
    parentPort.postMessage({ kind: memory ? 'memory' : 'damaged', reason });
  },
);
