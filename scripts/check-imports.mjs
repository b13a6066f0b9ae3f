#!/usr/bin/env node
// Checks which part of src/ imports which: the rules below are the architecture. `--root DIR` checks another tree.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * Per part of src/: the parts it may import, the packages it may import (a name also covers its subpaths), and
 * whether it may use Node's own modules. `parts` entries ending in `/*` mean only the files directly in that folder.
 * `entries`: files of the part that may import one folder more, for it is they who put the product together.
 */
const RULES = {
  color: { parts: [], packages: [], node: false },
  bridge: { parts: [], packages: [], node: false },
  inference: {
    parts: ['color'],
    packages: ['onnxruntime-common', 'onnxruntime-node', 'onnxruntime-web', '@huggingface/tokenizers'],
    node: false,
  },
  // The bridge is how a host and its page speak across two worlds.
  host: { parts: ['color', 'bridge'], packages: 'any', node: true },
  panel: {
    parts: ['color', 'inference', 'bridge', 'host/*'],
    packages: 'any',
    not: ['photoshop', 'uxp'],
    node: false,
    entries: { 'panel/browser.ts': 'host/browser/' },
  },
  cli: { parts: ['color', 'inference', 'host', 'bridge'], packages: 'any', node: true },
};

const BUILTINS = new Set(builtinModules);

/** @returns {string[]} one line per violation: file:line: reason */
export function checkImports(root) {
  const src = join(root, 'src');
  const problems = [];
  for (const file of sourceFiles(src)) {
    const path = relative(src, file).split(sep).join('/');
    const part = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
    const rule = RULES[part];
    if (!rule) {
      problems.push(`src/${path}:1: no import rule covers this file; add its part to scripts/check-imports.mjs`);
      continue;
    }
    for (const { line, specifier } of importsOf(file)) {
      const reason = refuse(rule, part, specifier, file, src);
      if (reason)
        problems.push(`src/${path}:${line}: ${part} must not import ${specifier ?? 'a computed name'}: ${reason}`);
    }
  }
  return problems;
}

function refuse(rule, part, specifier, file, src) {
  if (specifier === undefined) return 'only fixed names can be checked';
  if (!specifier.startsWith('.')) return refusePackage(rule, specifier);
  const target = relative(src, resolve(dirname(file), specifier))
    .split(sep)
    .join('/');
  if (target.startsWith('..')) return 'it lies outside src/';
  const other = target.split('/')[0];
  if (other === part) return undefined;
  if (rule.parts.includes(other)) return undefined;
  const entry = rule.entries?.[relative(src, file).split(sep).join('/')];
  if (entry && target.startsWith(entry)) return undefined;
  if (rule.parts.includes(`${other}/*`)) {
    return target.split('/').length <= 2 && !isFolder(join(src, target))
      ? undefined
      : `only files directly in ${other}/ are open to it`;
  }
  return `it may import ${rule.parts.length ? rule.parts.join(', ') : 'nothing of the project'}`;
}

function refusePackage(rule, specifier) {
  const bare = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || BUILTINS.has(bare) || BUILTINS.has(bare.split('/')[0])) {
    return rule.node ? undefined : "Node's modules are not there in a browser, and this part does no I/O";
  }
  const covers = (name) => specifier === name || specifier.startsWith(`${name}/`);
  if (rule.not?.some(covers)) return 'it must also run in a plain browser';
  if (rule.packages === 'any' || rule.packages.some(covers)) return undefined;
  return `the packages open to it are ${rule.packages.length ? rule.packages.join(', ') : 'none'}`;
}

function isFolder(path) {
  return !existsSync(`${path}.ts`) && existsSync(path);
}

/** import, export ... from, import(), require() and import types, with line numbers. */
function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = [];
  const add = (node, literal) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ line, specifier: literal && ts.isStringLiteralLike(literal) ? literal.text : undefined });
  };
  const visit = (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      add(node, node.moduleSpecifier);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node, node.moduleReference.expression);
    } else if (ts.isImportTypeNode(node)) {
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    } else if (ts.isCallExpression(node)) {
      const called = node.expression;
      const isRequire = ts.isIdentifier(called) && called.text === 'require';
      if (called.kind === ts.SyntaxKind.ImportKeyword || isRequire) add(node, node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function sourceFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--root');
  const root = at > 0 ? resolve(process.argv[at + 1]) : resolve(dirname(fileURLToPath(import.meta.url)), '..');
  const problems = checkImports(root);
  for (const problem of problems) console.error(problem);
  console.log(problems.length ? `${problems.length} imports break the rules` : 'imports follow the rules');
  process.exitCode = problems.length ? 1 : 0;
}
