import { type PickedFile } from '../host/panelHost';
import { formatPresetXmp, readPresetBytes } from '../inference';
import { PROXY_EDGE } from './ask';
import { type Controller } from './controller';
import { readPicture } from './pictures';
import { fill } from './strings';

/* What is done with small files: presets in and out, pictures to match. Failures are said in the page. */

export async function importPreset(controller: Controller, file?: PickedFile): Promise<void> {
  try {
    const chosen = file ?? (await controller.host.pickFile('preset'));
    if (!chosen) return;
    const { name, sliders, unsupported, notes } = readPresetBytes(chosen.bytes, chosen.name);
    controller.store.set({ mode: 'adjust', notices: [] });
    controller.setSliders(sliders);
    const lacks = unsupported.map(({ what }) => what).join(', ');
    const { presetRead, presetLacks } = controller.strings;
    const texts = [fill(presetRead, { name }), ...(lacks ? [fill(presetLacks, { list: lacks })] : []), ...notes];
    controller.notify({ kind: 'info', text: texts.join(' ') });
  } catch (thrown) {
    controller.report(thrown);
  }
}

export async function exportPreset(controller: Controller): Promise<void> {
  try {
    const { sliders, document } = controller.store.get();
    const name = `VeraRetouch ${document?.name ?? ''}`.trim();
    const text = formatPresetXmp(sliders, { name, group: 'VeraRetouch' });
    await controller.host.saveFile(`${name}.xmp`, new TextEncoder().encode(text));
  } catch (thrown) {
    controller.report(thrown);
  }
}

export async function takePicture(
  controller: Controller,
  place: 'pairBefore' | 'pairAfter' | 'target',
  file?: PickedFile,
): Promise<void> {
  try {
    const chosen = file ?? (await controller.host.pickFile('photo'));
    if (chosen) controller.store.set({ [place]: await readPicture(chosen, PROXY_EDGE) });
  } catch (thrown) {
    controller.report(thrown);
  }
}
