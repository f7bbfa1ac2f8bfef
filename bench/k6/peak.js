// An event
import {  four times the load within a moment, for a while, and back.:ramping, hit, thresholds } from './common.js';

export const options = { scenarios: { peak:  four times the load within a moment, for a while, and back.:ramping([[0.2, 1], [0.05, 4], [0.4, 4], [0.05, 1], [0.3, 1]]) }, thresholds, discardResponseBodies: true };

export default function () {
  hit();
}
