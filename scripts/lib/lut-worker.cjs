'use strict';
// The LUT threads' program from its source, for benchmarks and tests, which need no build.
import('./load-ts.mjs').then(({ loadTypeScript }) => loadTypeScript('src/host/files/lutWorker.ts'));
