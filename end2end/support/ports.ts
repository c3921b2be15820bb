// Ports for what a test starts.

import { createServer } from 'node:net';

/**
 * Below those that a system gives out by itself: none of these is somebody else's a moment later. Above 10080, which
 * browsers refuse.
 */
const FIRST = 11_000;
const COUNT = 8_000;
const TRIES_MAX = 100;

/** One that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`${TRIES_MAX} ports were tried and none is free`);
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
