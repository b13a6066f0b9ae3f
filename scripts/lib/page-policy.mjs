import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';

/** The Content-Security-Policy that a page carries in its head; undefined where it has none. */
export function policyOf(html) {
  return /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(html)?.[1];
}

/** That of the panel's page, as it is in the tree. */
export function panelPolicy() {
  return policyOf(readFileSync(join(ROOT, 'src', 'panel', 'index.html'), 'utf8'));
}
