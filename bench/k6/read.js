// Readers beside writers: hits that ask for the number, and counters that are only read.
import http from 'k6/http';
import { base, constant, hit, rate, thresholds } from './common.js';

export const options = {
  scenarios: {
    value: { ...constant(Math.ceil(rate / 2)), exec: 'value' },
    counters: { ...constant(Math.ceil(rate / 2)), exec: 'counters' },
  },
  thresholds,
  discardResponseBodies: true,
};

export const value = () => hit('?value=1');

export function counters() {
  http.get(`${base}/v1/counters/k6?key=page-1&key=page-2&key=page-3`);
}
