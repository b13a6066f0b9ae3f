import { type Controller } from './controller';
import { PanelError } from './errors';
import { modelOf, parseProvenance } from './provenance';
import { fill } from './strings';
import { type Sheet } from './sheets/sheets';

/** Takes the retouch of the selected layer up again, where that layer is in this document. Failures are said in the page. */
export function editLayer(controller: Controller, sheet: Sheet): Promise<void> {
  const { host, engine, strings } = controller;
  return controller.runFor(sheet, 'reading', async ({ signal }) => {
    const stored = await host.readRetouch();
    const { latentSize, model } = await engine.open({ signal });
    const needed = modelOf(stored?.provenance);
    // Its latents mean nothing to another one, even where they are as many.
    if (needed !== '' && needed !== model) {
      throw new PanelError('NO_RETOUCH', fill(strings.needsModel, { model: needed }));
    }
    const made = stored && parseProvenance(stored.provenance, latentSize);
    if (!made || (stored.document ?? sheet.id) !== sheet.id) {
      throw new PanelError('NO_RETOUCH', strings.noRetouchLayer);
    }
    const { state } = await controller.readProxy(sheet, signal);
    controller.selectTry(controller.add(sheet, { ...made, document: state, layer: stored.layer }), sheet);
    controller.notify({ kind: 'info', text: strings.editing }, sheet);
  });
}
