// Two processes behind nginx are restarted in turn (bench/k6/run does it). No hit may fail or get lost.
import { constant, hit, thresholds } from './common.js';

export const options = { scenarios: { rolling: constant() }, thresholds, discardResponseBodies: true };

export default function () {
  hit();
}
