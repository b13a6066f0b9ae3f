import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';

const PHOTOS = ['dandelions.jpg', 'mountain.jpg', 'reference-before.jpg', 'reference-after.jpg'];
const PRESET = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:PresetType="Normal" crs:ProcessVersion="11.0"
 crs:Exposure2012="+0.40" crs:Vibrance="20" crs:HasSettings="True"/></rdf:RDF></x:xmpmeta>
`;
const OLD_PRESET = `s = { id = "1", internalName = "Warm", title = "Warm", type = "Develop",
 value = { settings = { ProcessVersion = "11.0", Exposure2012 = 0.4, Vibrance = 20 } } }
`;
/** What the picture of one photo comes with. */
const FILES = 4;

/** Puts photos, presets and a file that is no photo into a folder, from which every run reads. */
export function layInputs(folder) {
  mkdirSync(join(folder, 'holiday'), { recursive: true });
  for (const name of PHOTOS) copyFileSync(join(ROOT, 'samples', name), join(folder, name));
  for (const name of PHOTOS.slice(0, 2)) copyFileSync(join(ROOT, 'samples', name), join(folder, 'holiday', name));
  copyFileSync(join(ROOT, 'samples', 'params.json'), join(folder, 'params.json'));
  writeFileSync(join(folder, 'preset.xmp'), PRESET);
  writeFileSync(join(folder, 'preset.lrtemplate'), OLD_PRESET);
  writeFileSync(join(folder, 'broken.jpg'), 'This is no photo.');
}

/**
 * What a person does on the command line: every mode, presets, a folder, the same folder again, and what goes wrong.
 * `files`: the fewest that are opened for writing; `status`: the exit status; `linger`: kept running afterwards; `out`:
 * folder of the results, its own unless told.
 *
 * @typedef {{name: string, args: string[], files?: number, status?: number, linger?: boolean, out?: string}} Run
 *
 * @param {string} folder of `layInputs`
 * @returns {Run[]}
 */
export function runsOver(folder) {
  const at = (name) => join(folder, name);
  const photo = at('dandelions.jpg');
  const one = (name, ...options) => ({ name, args: [photo, ...options], files: FILES });
  const pair = [at('reference-before.jpg'), at('reference-after.jpg')];
  const batch = (name, ...options) => ({ name, args: [at('holiday'), ...options], files: 2 * FILES });
  return [
    { ...one('auto', '--auto'), linger: true },
    one('style', '--style', 'warm golden evening light, gently faded'),
    one('param, sliders', '--params', at('params.json')),
    one('param, preset.xmp', '--params', at('preset.xmp')),
    one('param, preset.lrtemplate', '--params', at('preset.lrtemplate')),
    one('reference', '--reference', ...pair),
    one('auto, as JSON', '--auto', '--json'),
    { ...batch('a folder', '--auto'), out: 'folder' },
    { ...batch('the same folder again', '--auto'), files: 0, out: 'folder' },
    batch('a folder, one look for all', '--auto', '--match', 'mean'),
    { name: 'a broken photo', args: [at('broken.jpg'), '--auto'], status: 1 },
    { name: 'a wrong option', args: [photo, '--atuo'], status: 2 },
  ];
}
