import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(
  [
    'process',
    'console',
    'Buffer',
    'URL',
    'performance',
    'setTimeout',
    'clearTimeout',
    'setImmediate',
    'fetch',
    'AbortController',
    'AbortSignal',
    'TextEncoder',
    'TextDecoder',
    'structuredClone',
  ].map((name) => [name, 'readonly']),
);
/** What parts of the browser's tests use, which run in the page. */
const pageGlobals = Object.fromEntries(
  [
    'window',
    'document',
    'location',
    'innerWidth',
    'atob',
    'btoa',
    'KeyboardEvent',
    'Blob',
    'EventSource',
    'Image',
    'WebSocket',
    'Worker',
    'XMLHttpRequest',
    'navigator',
    'MessageEvent',
    'DragEvent',
    'DataTransfer',
    'File',
    'DOMException',
  ].map((name) => [name, 'readonly']),
);
const commonJsGlobals = {
  ...nodeGlobals,
  require: 'readonly',
  module: 'writable',
  __dirname: 'readonly',
  __filename: 'readonly',
  WebAssembly: 'readonly',
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'out/', 'coverage/', '.venv/', 'training/', 'models/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './tsconfig.panel.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers in messages are what messages are for.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Inner loops index typed arrays whose lengths were checked at the door.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['error'] }],
      'max-lines': ['error', { max: 400 }],
    },
  },
  {
    // Tests reach into bad input on purpose.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: nodeGlobals }, rules: { 'max-lines': ['error', { max: 400 }] } },
  { files: ['test/browser/*.mjs', 'scripts/bench/panel.mjs'], languageOptions: { globals: pageGlobals } },
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: { sourceType: 'commonjs', globals: commonJsGlobals },
    rules: { 'max-lines': ['error', { max: 400 }] },
  },
);
