'use strict';
const { TestEnvironment } = require('jest-environment-node');

// As in src/cli/nodeRuntime.ts. A test's own `process.env` is a copy that native code never sees, so it is set out here.
process.env.ORT_DISABLE_TELEMETRY = '1';

/**
 * Jest runs each test file in a realm of its own, with its own typed array classes. Native modules such as
 * onnxruntime-node test `instanceof Float32Array` against the outer realm and reject those. Handing the outer
 * realm's classes in makes both sides agree. Everything that holds binary data is swapped together, so that a
 * buffer and its views never come from different realms.
 */
const SHARED = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
];

class OuterRealmEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of SHARED) {
      Object.defineProperty(this.global, name, {
        value: globalThis[name],
        configurable: true,
        writable: true,
        enumerable: false,
      });
    }
  }
}

module.exports = OuterRealmEnvironment;
