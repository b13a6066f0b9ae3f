'use strict';
const path = require('node:path');
const webpack = require('webpack');
const { ThirdPartyNotices } = require('./scripts/lib/notices/index.cjs');

const root = __dirname;

/** What every bundle shares; a web target adds its own entry, target and output to `module.exports`. */
function common(mode) {
  return {
    mode: mode ?? 'production',
    context: root,
    devtool: 'source-map',
    resolve: { extensions: ['.ts', '.js'] },
    module: {
      rules: [
        {
          test: /\.ts$/,
          exclude: /node_modules/,
          use: {
            loader: 'ts-loader',
            // Types are checked by `npm run typecheck`, once for all bundles.
            options: { transpileOnly: true, compilerOptions: { noEmit: false, sourceMap: true } },
          },
        },
      ],
    },
    performance: { hints: false },
  };
}

/** The command line and its worker threads: CommonJS files; packages with native parts stay outside them. */
function cli(mode) {
  return {
    ...common(mode),
    name: 'cli',
    target: 'node20',
    entry: {
      cli: './src/cli/main.ts',
      photoWorker: './src/cli/pipeline/photoWorker.ts',
      decodeWorker: './src/host/files/formats/decodeWorker.cjs',
    },
    output: { path: path.join(root, 'dist'), filename: '[name].cjs' },
    externals: { sharp: 'commonjs sharp', 'onnxruntime-node': 'commonjs onnxruntime-node' },
    // Readable stack traces are worth more than bytes on a command line.
    optimization: { minimize: false },
    // The bundled model and sample photos are found relative to the real place of dist/.
    node: { __dirname: false, __filename: false },
    plugins: [
      new webpack.BannerPlugin({ banner: '#!/usr/bin/env node', raw: true, include: /\.cjs$/ }),
      // The decoders' thread looks these up among the installed packages, by itself.
      new ThirdPartyNotices(root, ['libheif-js', 'libraw-wasm']),
    ],
  };
}

/**
 * The page and its worker: classic scripts, which pages opened from a file may run. `host`: browser (`npm run build:web`)
 * or photoshop (`npm run package`).
 */
function web(mode, host = 'browser') {
  const shared = {
    ...common(mode),
    devtool: false,
    output: { path: path.join(root, 'dist', 'web'), filename: '[name].js' },
  };
  const module = { rules: [...shared.module.rules, { test: /\.css$/, type: 'asset/source' }] };
  return [
    { ...shared, module, name: 'page', target: ['web', 'es2022'], entry: { panel: `./src/panel/${host}.ts` } },
    {
      ...shared,
      name: 'worker',
      target: ['webworker', 'es2022'],
      entry: { worker: './src/panel/worker/main.ts' },
      // The runtime is handed its wasm as bytes; the addresses that it would load it from mean nothing in a blob.
      module: { ...module, parser: { javascript: { url: false } } },
      plugins: [new webpack.DefinePlugin({ 'import.meta.url': 'undefined' })],
    },
  ];
}

module.exports = (env, argv) => (env.web ? web(argv.mode) : [cli(argv.mode)]);
module.exports.common = common;
module.exports.web = web;
