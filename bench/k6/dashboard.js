// People who look at dashboards beside visitors who are counted: the hits must not notice them. With TOKEN in the environment, a token that
// has read, they also ask which namespaces and keys there are.
import http from 'k6/http';
import { sleep } from 'k6';
import { base, constant, hit, number, seconds, thresholds } from './common.js';

const token = __ENV.TOKEN, every = 2; // seconds, as the dashboard does
const headers = token ? { Authorization: `Bearer ${token}` } : {};
const unlessNothingIsCounted = http.expectedStatuses({ min: 200, max: 299 }, 404);

export const options = {
  scenarios: {
    hits: { ...constant(), exec: 'hits' },
    viewers: { executor: 'constant-vus', vus: number('VIEWERS', 20), duration: `${seconds}s`, gracefulStop: '5s', exec: 'view' },
  },
  // A list is as slow as the store's SCAN: only hits have a bound.
  thresholds: {
    http_req_failed: thresholds.http_req_failed,
    dropped_iterations: thresholds.dropped_iterations,
    'http_req_duration{scenario:hits}': thresholds.http_req_duration,
  },
  discardResponseBodies: true,
};

export const hits = () => hit();

export function view() {
  const asked = [`${base}/v1/counters/k6?total=1`, `${base}/v1/counters/k6?key=page-1&key=page-2&key=page-3`];
  if (token) asked.push(`${base}/v1/namespaces`, `${base}/v1/keys/k6?limit=20`);
  http.batch(asked.map((url) => ['GET', url, null, { headers, responseCallback: unlessNothingIsCounted }]));
  sleep(every * (0.5 + Math.random()));
}
