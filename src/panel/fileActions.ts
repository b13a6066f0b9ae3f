import { type PickedFile } from '../host/panelHost';
import { formatPresetXmp, readPresetBytes } from '../inference';
import { PROXY_EDGE } from './ask';
import { type Controller } from './controller';
import { readPicture } from './pictures';
import { fill } from './strings';

/* What is done with small files: presets in and out, pictures to match. Failures are said in the page. */

export async function importPreset(controller: Controller, file?: PickedFile): Promise<void> {
  controller.clear();
  const sheet = controller.front;
  try {
    const chosen = file ?? (await controller.host.pickFile('preset'));
    if (!chosen) return;
    const { name, sliders, unsupported, notes } = readPresetBytes(chosen.bytes, chosen.name);
    if (!sheet.inFront) {
      controller.notify({ kind: 'warning', text: fill(controller.strings.presetLate, { name }) }, controller.front);
      return;
    }
    controller.chooseMode('adjust');
    controller.setSliders(sliders);
    const lacks = unsupported.map(({ what }) => what).join(', ');
    const { presetRead, presetLacks } = controller.strings;
    const texts = [fill(presetRead, { name }), ...(lacks ? [fill(presetLacks, { list: lacks })] : []), ...notes];
    controller.notify({ kind: 'info', text: texts.join(' ') }, sheet);
  } catch (thrown) {
    controller.report(thrown, controller.front);
  }
}

export async function exportPreset(controller: Controller): Promise<void> {
  controller.clear();
  const sheet = controller.front;
  try {
    const { sliders, document } = sheet.get();
    const name = `VeraRetouch ${document?.name ?? ''}`.trim();
    const text = formatPresetXmp(sliders, { name, group: 'VeraRetouch' });
    await controller.host.saveFile(`${name}.xmp`, new TextEncoder().encode(text));
  } catch (thrown) {
    controller.report(thrown, sheet);
  }
}

type Place = 'pairBefore' | 'pairAfter' | 'target';

/** The newest picture that was asked for, for each place: a large one that comes late does not take it from that. */
const newest: Partial<Record<Place, object>> = {};

/** Pictures to borrow from are the page's: they stay when another photo is opened. */
export async function takePicture(controller: Controller, place: Place, file?: PickedFile): Promise<void> {
  controller.clear();
  const mine = (newest[place] = {});
  try {
    const chosen = file ?? (await controller.host.pickFile('photo'));
    if (!chosen) return;
    const picture = await readPicture(chosen, PROXY_EDGE);
    if (newest[place] === mine) controller.store.set({ [place]: picture });
  } catch (thrown) {
    controller.report(thrown, controller.front);
  }
}
