// Redis stands still for a third of the time (bench/k6/run does it). Hits must not notice.
import { constant, hit, thresholds } from './common.js';

export const options = { scenarios: { outage: constant() }, thresholds, discardResponseBodies: true };

export default function () {
  hit();
}
