'use strict';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/support/outer-realm-environment.cjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json', diagnostics: false }],
  },
  testTimeout: 30000,
};
