// A hundred hits in one POST, as a log shipper sends them.
import http from 'k6/http';
import { accepted, base, constant, page, rate, thresholds } from './common.js';

export const options = { scenarios: { batch: constant(Math.ceil(rate / 10)) }, thresholds };

export default function () {
  const hits = Array.from({ length: 100 }, () => ({ ns: 'k6', key: page(), n: 1 }));
  const answer = http.post(`${base}/v1/hits`, JSON.stringify({ hits }), { headers: { 'Content-Type': 'application/json' } });
  if (answer.status === 202) accepted.add(answer.json().accepted);
}
