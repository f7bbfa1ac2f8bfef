// What the scenarios share: where, how much, how long, and the count that the books need. Settings come by -e NAME=value.
import http from 'k6/http';
import { Counter } from 'k6/metrics';

export const number = (name, otherwise) => Number(__ENV[name] || otherwise);

export const base = __ENV.BASE || 'http://127.0.0.1:8080';
export const rate = number('RATE', 500);        // iterations a second
export const seconds = number('SECONDS', 30);
export const accepted = new Counter('accepted'); // hits in answers 2xx: must equal what Redis holds afterwards

// Made beforehand: k6 drops what is due while it makes more.
const workers = { preAllocatedVUs: number('VUS', 200), maxVUs: number('VUS_MAX', 400) };

export const constant = (perSecond = rate) => ({
  executor: 'constant-arrival-rate', rate: perSecond, timeUnit: '1s', duration: `${seconds}s`, ...workers,
});

// `shape`: [share of the time, times the rate] for each stage.
export const ramping = (shape) => ({
  executor: 'ramping-arrival-rate', startRate: rate, timeUnit: '1s', ...workers,
  stages: shape.map(([share, times]) => ({ duration: `${Math.ceil(share * seconds)}s`, target: Math.round(times * rate) })),
});

// No answer but 2xx, no iteration left out, and latencies that a visitor does not notice.
export const thresholds = {
  http_req_failed: ['rate==0'],
  dropped_iterations: ['count==0'],
  http_req_duration: [`p(99)<${number('P99_MS', 100)}`],
};

export const page = () => `page-${Math.floor(Math.random() * 1000)}`;

export function hit(query = '') {
  const answer = http.get(`${base}/v1/hit/k6/${page()}${query}`, { tags: { name: 'hit' } });
  if (answer.status >= 200 && answer.status < 300) accepted.add(1);
}
