/**
 * Writes docs/api.md: `npm run docs:api`.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/runner.ts';
import { apiPage } from './support/api.ts';

writeFileSync(join(ROOT, 'docs/api.md'), await apiPage());
