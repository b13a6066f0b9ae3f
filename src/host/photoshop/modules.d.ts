/* eslint-disable @typescript-eslint/consistent-type-imports -- an import at the top would make this file a module itself */
/** Photoshop's own modules, as far as they are used; the real ones are there inside of Photoshop only. */
declare module 'photoshop' {
  const photoshop: import('./ports').Photoshop;
  export = photoshop;
}
declare module 'uxp' {
  const uxp: import('./ports').Uxp;
  export = uxp;
}
