'use strict';
const { existsSync, readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const LICENSE = /^(un)?(licen[cs]e|copying|copyright)([.-].*)?$/i;
const NOTICE = /^(notices?|third[-_ ]?party[-_ ]?.*)(\.(txt|md|html))?$/i;

/**
 * @typedef {{name: string, version: string, license: string, texts: {file: string, text: string}[]}} Package
 */

/**
 * Everything that must be said of the packages in a product, checked against the lockfile.
 *
 * @param {string} root folder of package-lock.json and licenses/
 * @param {Iterable<string>} folders as the lockfile names them; packages that are prebuilt into these are added
 * @returns {Package[]} by name
 * @throws {Error} naming every package that is not the lockfile's, or whose license text is nowhere
 */
function describe(root, folders) {
  const lock = readJson(join(root, 'package-lock.json')).packages;
  const supplements = readSupplements(root);
  const all = new Set(folders);
  for (const folder of all) {
    for (const name of supplements[nameOf(folder)]?.holds ?? []) all.add(`node_modules/${name}`);
  }
  const problems = [];
  const packages = [];
  for (const folder of all) {
    try {
      packages.push(describeOne(root, folder, lock[folder], supplements[nameOf(folder)]));
    } catch (error) {
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new Error(`The third-party notices cannot be written.\n${problems.join('\n')}`);
  return packages.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

function describeOne(root, folder, locked, supplement) {
  const name = nameOf(folder);
  if (!locked)
    throw new Error(`${name} is in the bundle but not in package-lock.json (${folder}). Add it with npm install.`);
  const { version, license } = readJson(join(root, folder, 'package.json'));
  if (version !== locked.version || license !== locked.license)
    throw new Error(
      `${name} is ${version} (${license}) in ${folder} but ${locked.version} (${locked.license}) in package-lock.json. ` +
        'Run npm ci.',
    );
  if (!license) throw new Error(`${name} ${version} names no license in its package.json. It cannot be bundled.`);
  if (supplement && supplement.version !== version)
    throw new Error(
      `licenses/supplements.json is about ${name} ${supplement.version}; ${version} is installed. ` +
        'Read the license and the notices of that version, and mend text and version there.',
    );
  const texts = [...textsIn(root, folder, LICENSE), ...supplementTexts(root, supplement)];
  if (texts.length === 0)
    throw new Error(
      `${name} ${version} (${license}) holds no license text. Put its text into licenses/ and name it in ` +
        'licenses/supplements.json, or do without the package.',
    );
  return { name, version, license, texts: [...texts, ...textsIn(root, folder, NOTICE)] };
}

function textsIn(root, folder, pattern) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => readText(join(root, folder, entry.name), entry.name))
    .filter(({ text }) => text !== '')
    .sort((a, b) => compare(a.file, b.file));
}

function supplementTexts(root, supplement) {
  return (supplement?.texts ?? []).map((name) => readText(join(root, 'licenses', name), name));
}

/** Line ends and trailing blanks depend on the packer, not on the author. */
function readText(path, file) {
  const lines = readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/);
  return {
    file,
    text: lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trim(),
  };
}

/**
 * What a program needs at run time from node_modules: the packages named and all that they depend on, by the lockfile;
 * npm installs of the optional ones those that fit the machine.
 *
 * @param {string} root folder of package-lock.json
 * @param {string[]} names
 * @returns {{name: string, version: string, license: string, optional: boolean}[]} by name
 */
function neededAtRunTime(root, names) {
  const lock = readJson(join(root, 'package-lock.json')).packages;
  const found = new Map();
  const visit = (name, from, optional) => {
    const folder = resolveIn(lock, name, from);
    if (!folder || found.has(folder)) return;
    const { version, license, dependencies = {}, optionalDependencies = {} } = lock[folder];
    found.set(folder, { name, version, license, optional });
    for (const next of Object.keys(dependencies)) visit(next, folder, optional);
    for (const next of Object.keys(optionalDependencies)) visit(next, folder, true);
  };
  for (const name of names) visit(name, '', false);
  return [...found.values()].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** Where Node finds a package asked for from a folder: there, or in a folder above. */
function resolveIn(lock, name, from) {
  for (let at = from; ;) {
    const folder = `${at ? `${at}/` : ''}node_modules/${name}`;
    if (lock[folder]) return folder;
    if (!at) return undefined;
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '';
  }
}

function nameOf(folder) {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function readSupplements(root) {
  const file = join(root, 'licenses', 'supplements.json');
  return existsSync(file) ? readJson(file) : {};
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** By code units: the same order in every locale. */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

module.exports = { describe, neededAtRunTime };
