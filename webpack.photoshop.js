'use strict';
const path = require('node:path');
const { common } = require('./webpack.config.js');

/**
 * The plugin's script for UXP: one classic script, whose only outside modules are Photoshop's own. UXP evaluates no text
 * as code without a permission, so no source map may do it; readable code is what stack traces have to do with.
 */
module.exports = (_env, argv) => ({
  ...common(argv.mode),
  name: 'photoshop',
  target: ['web', 'es2022'],
  devtool: false,
  entry: { plugin: './src/host/photoshop/plugin.ts' },
  output: { path: path.join(__dirname, 'dist', 'photoshop'), filename: '[name].js' },
  externals: { photoshop: 'commonjs2 photoshop', uxp: 'commonjs2 uxp', fs: 'commonjs2 fs' },
  optimization: { minimize: false },
});
