/** Thrown for whatever the documentation does not have: a plugin that meets it would meet trouble in Photoshop. */
export class Undocumented extends Error {
  override readonly name = 'Undocumented';
}

/** `options` must be an object with no keys but these; `required` must be there. */
export function checkOptions(
  where: string,
  options: unknown,
  allowed: readonly string[],
  required: readonly string[] = [],
): asserts options is Record<string, unknown> {
  if (typeof options !== 'object' || options === null) throw new Undocumented(`${where}: options must be an object.`);
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) throw new Undocumented(`${where}: the option "${key}" is not documented.`);
    if ((options as Record<string, unknown>)[key] === undefined)
      throw new Undocumented(`${where}: the option "${key}" is undefined; leave it out.`);
  }
  for (const key of required) if (!(key in options)) throw new Undocumented(`${where}: "${key}" is required.`);
}

/** What JavaScript itself, promises, bundlers and test output ask of any object. */
const ASKED_BY_ENGINE = [
  'then',
  '__esModule',
  'toJSON',
  'constructor',
  'asymmetricMatch',
  '$$typeof',
  'nodeType',
  'length',
];

/** The object, but a property that it does not have throws instead of being undefined. */
export function strict<T extends object>(where: string, target: T): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      if (typeof key === 'symbol' || key in object || ASKED_BY_ENGINE.includes(key))
        return Reflect.get(object, key, receiver) as unknown;
      throw new Undocumented(`${where}.${key} is not documented, or not part of this stand-in.`);
    },
    set(object, key, value, receiver) {
      if (key in object) return Reflect.set(object, key, value, receiver);
      throw new Undocumented(`${where}.${String(key)} is not documented, or not part of this stand-in.`);
    },
  });
}
