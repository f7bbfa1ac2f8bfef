// An event: four times the load within a moment, for a while, and back.
import { hit, ramping, thresholds } from './common.js';

const shape = [[0.2, 1], [0.05, 4], [0.4, 4], [0.05, 1], [0.3, 1]];

export const options = { scenarios: { peak: ramping(shape) }, thresholds, discardResponseBodies: true };

export default function () {
  hit();
}
