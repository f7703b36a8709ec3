import { allureConfig } from './reporters/allure-config.ts';
import matrix from './vm-matrix.ts';

/** The Allure report of a run: `npm run report:allure`. */
export default allureConfig(matrix);
