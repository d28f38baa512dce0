// Questions of docs/benchmarks.md about data jobs.
import { number } from './figures.mjs';

const times = (value) => `${number(value)} x`;
const mbs = (value) => `${number(value)} MB/s`;
const CUTS = ['text by bytes', 'text by rows', 'csv by rows', 'json lines by rows', 'json array by rows'];
const PEERS = ['split -C', 'split -l', 'wc -l', 'csv-parse'];
const beside = (result, peer) => result[`spawn / ${peer}, median of pairs`];

export const DATA_QUESTIONS = [
  {
    question:
      'Cutting 1 GB into parts: lines by bytes, by rows; csv with quotes by rows; JSON lines and an array by rows',
    file: 'cut',
    show: (result) => CUTS.map((name) => mbs(result[name]['MB per second'])).join(', '),
    goal: 'lines at least 200 MB/s',
    reached: (result) => CUTS.slice(0, 2).every((name) => result[name]['MB per second'] >= 200),
  },
  {
    question: 'Beside `split -C` (which copies), `split -l` (likewise) and `wc -l`; csv beside csv-parse alone',
    file: 'cut',
    show: (result) => PEERS.map((peer) => times(beside(result, peer))).join(', '),
    goal: 'faster than `split` and csv-parse',
    reached: (result) => ['split -C', 'split -l', 'csv-parse'].every((peer) => beside(result, peer) > 1),
  },
  {
    question: 'Memory that cutting 1 GB takes beside what the process had; 64 MB',
    file: 'cut',
    show: (result) => {
      const most = (key) => `${number(Math.max(...CUTS.map((name) => result[name][key])))} MB`;
      return `${most('memory grown by MB, at most')}, ${most('the same for a file of 64 MB')}`;
    },
    goal: 'under 128 MB, whatever the size',
    reached: (result) => CUTS.every((name) => result[name]['memory grown by MB, at most'] < 128),
  },
];
