import { h, icon, setAttribute, setText, show } from '../dom';
import { Painter } from '../painter';
import { type PanelState } from '../state';
import { acceptDrop } from './drop';
import { type Context, type View } from './view';

/** Screen pixels of one pixel of the picture; 0 is the whole picture. */
const ZOOMS = [0, 1, 2, 4];
const STEP = 0.02;

export interface PreviewView extends View {
  readonly canvas: HTMLCanvasElement;
  /** Called when the picture of a try has been painted. */
  onPainted: (made: number | undefined) => void;
}

/** Before and after of one picture: a line between them that can be moved, zoom, and "hold to see before". */
export function previewView({ controller, strings }: Context): PreviewView {
  const { store, host } = controller;
  const before = h('canvas', { class: 'picture', 'aria-hidden': 'true' });
  const after = h('canvas', { class: 'picture after', 'aria-hidden': 'true' });
  const handle = h(
    'div',
    {
      class: 'split',
      role: 'slider',
      tabindex: 0,
      'aria-label': strings.split,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-orientation': 'horizontal',
      onkeydown: (event: KeyboardEvent) => {
        const to = keyTarget(event.key, store.get().split);
        if (to === undefined) return;
        event.preventDefault();
        store.set({ split: to });
      },
    },
    h('span', { class: 'knob' }),
  );
  const frame = h('div', { class: 'frame', role: 'img', 'aria-label': strings.preview }, before, after);
  const tagBefore = h('span', { class: 'tag left' }, strings.before);
  const tagAfter = h('span', { class: 'tag right' }, strings.after);
  const sheet = h('div', { class: 'sheet' }, frame, handle);
  const stage = h('div', { class: 'stage' }, sheet);
  const empty = emptyView();
  const zoomText = h('button', { type: 'button', class: 'tool text', 'aria-label': strings.fit, onclick: fit }, '');
  const hold = h(
    'button',
    { type: 'button', class: 'tool', 'aria-label': strings.hold, 'aria-pressed': 'false' },
    icon('eye'),
  );
  const tools = h(
    'div',
    { class: 'tools' },
    h('button', { type: 'button', class: 'tool', 'aria-label': strings.zoomOut, onclick: zoomBy(-1) }, icon('minus')),
    zoomText,
    h('button', { type: 'button', class: 'tool', 'aria-label': strings.zoomIn, onclick: zoomBy(1) }, icon('plus')),
    hold,
  );
  const element = h('section', { class: 'preview' }, stage, tagBefore, tagAfter, tools, empty);

  const painter = new Painter(after);
  void painter.useGpu();
  const view: PreviewView = { element, canvas: after, onPainted: () => undefined, update };
  controller.paint = async (lut, overall, made) => {
    if (!lut) {
      painter.showBefore();
      return;
    }
    if (!(await painter.paint(lut, overall))) return;
    element.dataset['painted'] = String(Number(element.dataset['painted'] ?? 0) + 1);
    element.dataset['brush'] = painter.brush;
    view.onPainted(made);
  };

  if (host.openPhoto) {
    acceptDrop(element, ([file]) => void controller.openPhoto(file));
  }
  dragSplit();
  holdToCompare();
  new ResizeObserver(() => {
    place(store.get());
  }).observe(stage);

  let shown: PanelState['proxy'];
  function update(state: PanelState): void {
    const { proxy, split, holding } = state;
    if (proxy && proxy !== shown) {
      painter.show(proxy, before);
      controller.repaint();
    }
    shown = proxy;
    show(stage, proxy !== undefined);
    show(tools, proxy !== undefined);
    show(empty, proxy === undefined);
    const compared = proxy !== undefined && state.current !== undefined;
    show(handle, compared && !holding);
    const at = holding ? 1 : split;
    show(tagBefore, compared && at > 0.2);
    show(tagAfter, compared && at < 0.8);
    setAttribute(hold, 'aria-pressed', String(holding));
    setAttribute(handle, 'aria-valuenow', Math.round(split * 100));
    sheet.style.setProperty('--split', `${at * 100}%`);
    setText(zoomText, state.zoom === 0 ? strings.fit : `${state.zoom * 100} %`);
    updateEmpty(state);
    place(state);
  }

  function place({ proxy, zoom: factor }: PanelState): void {
    if (!proxy || stage.clientWidth === 0) return;
    const { width, height } = proxy;
    const scale =
      factor === 0
        ? Math.min(stage.clientWidth / width, stage.clientHeight / height)
        : factor / Math.max(1, window.devicePixelRatio);
    sheet.style.width = `${Math.round(width * scale)}px`;
    sheet.style.height = `${Math.round(height * scale)}px`;
    stage.classList.toggle('zoomed', factor > 0);
    frame.classList.toggle('crisp', factor > 1);
  }

  function zoomBy(by: 1 | -1) {
    return (): void => {
      const to = ZOOMS.indexOf(store.get().zoom) + by;
      controller.front.set({ zoom: ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, to))] });
    };
  }

  function fit(): void {
    controller.front.set({ zoom: 0 });
  }

  function dragSplit(): void {
    const move = (event: PointerEvent): void => {
      const { left, width } = sheet.getBoundingClientRect();
      store.set({ split: Math.min(1, Math.max(0, (event.clientX - left) / width)) });
    };
    handle.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      handle.addEventListener('pointermove', move);
    });
    for (const end of ['pointerup', 'pointercancel'] as const) {
      handle.addEventListener(end, () => {
        handle.removeEventListener('pointermove', move);
      });
    }
  }

  function holdToCompare(): void {
    const holding = (on: boolean) => (): void => {
      store.set({ holding: on });
    };
    hold.addEventListener('pointerdown', holding(true));
    for (const end of ['pointerup', 'pointerleave', 'pointercancel', 'blur'] as const) {
      hold.addEventListener(end, holding(false));
    }
    hold.addEventListener('keydown', ({ key }) => {
      if (key === ' ' || key === 'Enter') store.set({ holding: true });
    });
    hold.addEventListener('keyup', holding(false));
  }

  function emptyView(): HTMLElement {
    if (!host.openPhoto) return h('div', { class: 'empty' }, icon('picture'), h('p', {}, strings.noDocument));
    return h(
      'div',
      { class: 'empty' },
      icon('picture'),
      h('p', { class: 'strong' }, strings.dropPhoto),
      h('p', { class: 'faint' }, strings.dropKinds),
      h('button', { type: 'button', class: 'primary', onclick: () => void controller.openPhoto() }, strings.openPhoto),
    );
  }

  function updateEmpty({ document: info }: PanelState): void {
    const line = empty.querySelector('p');
    if (line && info?.refusal !== undefined) setText(line, info.refusal);
    else if (line && !host.openPhoto) setText(line, strings.noDocument);
  }

  return view;
}

function keyTarget(key: string, at: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(1, at + STEP);
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, at - STEP);
    case 'Home':
      return 0;
    case 'End':
      return 1;
    default:
      return undefined;
  }
}
