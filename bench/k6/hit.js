// Single hits at a constant rate.
import { constant, hit, thresholds } from './common.js';

export const options = { scenarios: { hit: constant() }, thresholds, discardResponseBodies: true };

export default function () {
  hit();
}
