type Child = Node | string | undefined | false;
type Attributes = Readonly<Record<string, unknown>>;

/**
 * An element: attributes, listeners (`onclick` and the like), children. `class` and `aria-…` are written as in HTML;
 * true stands for an empty attribute, undefined and false for none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value as EventListener);
    else setAttribute(element, key, value);
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

export function setAttribute(element: Element, key: string, value: unknown): void {
  const text = value === true ? '' : value === undefined || value === false ? undefined : `${value as string | number}`;
  if (text === undefined) element.removeAttribute(key);
  else if (element.getAttribute(key) !== text) element.setAttribute(key, text);
}

/** Only where it differs: a screen reader repeats what is written anew, and a selection is lost. */
export function setText(element: Node, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, shown: boolean): void {
  element.hidden = !shown;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Icons of 16 x 16 as paths, in the colour of the text; drawn for this panel. */
const ICONS = {
  eye: 'M1 8s2.6-4.5 7-4.5S15 8 15 8s-2.6 4.5-7 4.5S1 8 1 8Zm7 2.2A2.2 2.2 0 1 0 8 5.800a2.2 2.2 0 0 0 0 4.400Z',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  more: 'M4 6.500 8 10.500l4-4',
  help: 'M5.500 6a2.500 2.500 0 1 1 3.700 2.200c-.8.4-1.200.9-1.200 1.800M8 12.700v.3',
  close: 'M4 4l8 8M12 4l-8 8',
  up: 'M4 9.500 8 5.500l4 4',
  model:
    'M4.500 4.500h7v7h-7zM6.500 2v2.500M9.500 2v2.500M6.500 11.500V14M9.500 11.500V14M2 6.500h2.500M2 9.500h2.500M11.500 6.500H14M11.500 9.500H14',
  picture: 'M2 3.500h12v9H2zM2 11l3.500-3.500 3 3 2-2L14 12M10.500 6h.4',
} as const;

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
