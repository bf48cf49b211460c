// Takes the pictures of the page, light and dark, on the demo's stand-in: docs/page-light.webp and docs/page-dark.webp.
//
//   npm run --silent build && node scripts/screenshots.mjs
import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPage, takePicture } from '../build/test/lab/demo-page.js';
import { openStage } from '../build/test/lab/demo-stage.js';

const folder = path.resolve(import.meta.dirname, '../docs');

const stage = await openStage();
try {
  const page = await openPage(stage);
  await sleep(15_000); // the last run, and the second attempt at the firewall that nobody answers for
  for (const colorScheme of ['light', 'dark']) {
    const file = path.join(folder, `page-${colorScheme}.webp`);
    if (!(await takePicture(page, { file, colorScheme }))) throw new Error('there is no chromium on this machine');
    console.log(`${file}: ${Math.ceil(statSync(file).size / 1024)} kB`);
  }
} finally {
  await stage.close();
}
