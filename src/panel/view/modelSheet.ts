import { h, setText, show } from '../dom';
import { type MemoryLine, type ModelOffer, isAccepted } from '../modelOffer';
import { type StringKey, fill } from '../strings';
import { type Context, type View } from './view';

/** What a chosen folder holds, and its licence, before anything of it is used. */
export function modelSheet({ controller, strings }: Context): View {
  const { store, models } = controller;
  const name = h('p', { class: 'strong' });
  const version = h('p', { class: 'faint' });
  const research = h('p', { class: 'badge' }, strings.researchOnly);
  const facts = h('dl', { class: 'facts' });
  const remarks = h('ul', { class: 'remarks' });
  const summary = h('p', {});
  const text = h('pre', { class: 'licence', tabindex: 0, role: 'region', 'aria-label': strings.licenceText });
  const cancel = h('button', { type: 'button', onclick: decline }, strings.cancel);
  const use = h('button', { type: 'button', class: 'primary', onclick: () => void models.accept() });
  const box = h(
    'div',
    { class: 'help-box sheet-box', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'model-title' },
    h('h2', { id: 'model-title' }, strings.sheetTitle),
    h('div', {}, name, version),
    research,
    facts,
    remarks,
    summary,
    text,
    h('div', { class: 'row sheet-buttons' }, cancel, use),
  );
  const element = h('div', { class: 'help', hidden: true, onkeydown: onKey }, box);

  function decline(): void {
    models.decline();
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.stopPropagation();
      decline();
    }
    if (event.key !== 'Tab') return;
    // Tab stays among what can be done here.
    const all: readonly HTMLElement[] = [text, cancel, use];
    const stops = all.filter((stop) => !stop.hidden && !stop.matches(':disabled'));
    const at = stops.indexOf(document.activeElement as HTMLElement);
    const to = (at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length;
    event.preventDefault();
    stops[to]?.focus();
  }

  function fillIn(offer: ModelOffer, tries: number): void {
    const { terms } = offer;
    const accepted = terms !== undefined && isAccepted(store.get().accepted, terms.key);
    setText(name, offer.name);
    setText(version, fill(strings.version, { version: offer.version }));
    show(research, offer.research);
    const rows = [
      [strings.size, [bytesText(offer.bytes)]],
      [strings.memory, memoryTexts(offer.memory)],
      [strings.licence, [offer.licence]],
    ] as const;
    facts.replaceChildren(
      ...rows.flatMap(([term, values]) => [h('dt', {}, term), ...values.map((value) => h('dd', {}, value))]),
    );
    const said: string[] = [];
    if (!offer.fits) said.push(strings.tooLarge);
    if (!offer.capabilities.sliders) said.push(strings.lacksSliders);
    if (!offer.capabilities.reference) said.push(strings.lacksReference);
    if (tries > 0) said.push(strings.triesGo);
    if (accepted) said.push(strings.acceptedBefore);
    remarks.replaceChildren(...said.map((remark) => h('li', {}, remark)));
    show(remarks, said.length > 0);
    setText(summary, terms?.summary ?? '');
    setText(text, terms?.text ?? '');
    text.scrollTop = 0;
    show(summary, terms !== undefined);
    show(text, terms !== undefined);
    setText(use, terms && !accepted ? strings.accept : strings.use);
    use.disabled = !offer.fits;
  }

  function memoryTexts(lines: readonly MemoryLine[]): string[] {
    if (lines.length === 0) return [strings.memoryUnknown];
    return lines.flatMap(({ device, need, there }) => {
      const gpu = device === 'webgpu';
      const line = (key: StringKey, needed: number | undefined, given?: number): string[] =>
        needed === undefined
          ? []
          : [fill(strings[key], { need: bytesText(needed), there: given === undefined ? '?' : bytesText(given) })];
      return [
        ...line(gpu ? 'memoryGpu' : 'memoryCpu', need.page, there.page),
        ...(gpu ? line('memoryCard', need.gpu) : []),
        ...(gpu ? line('memoryBuffer', need.largestBuffer, there.largestBuffer) : []),
      ];
    });
  }

  let shown: ModelOffer | undefined;
  let back: Element | null = null;
  return {
    element,
    update: ({ offer, help, tries }) => {
      const now = help ? undefined : offer;
      if (now === shown) return;
      if (!shown) back = document.activeElement;
      show(element, now !== undefined);
      if (now) {
        fillIn(now, tries.length);
        // The licence is to be read first, and by keys it is scrolled where it has the focus.
        (now.terms ? text : now.fits ? use : cancel).focus();
      } else if (back instanceof HTMLElement) back.focus();
      shown = now;
    },
  };
}

/** As disks and shops count: 1 GB are 1,000 MB. */
function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
