import { Engine } from './worker/engine';
import { pageAssets } from './worker/doors';
import { pageEngineParts } from './worker/start';
const assets = pageAssets('./');
Object.assign(window, { Engine, assets, parts: pageEngineParts(assets) });
