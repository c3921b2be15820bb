// Test mode's controls (contract 70). Each effect is applied before its answer.

import { expect } from '@playwright/test';

import { absolute } from './instance';

export async function control<T>(name: string, body: object): Promise<T> {
  const answer = await fetch(absolute(`/sandbox/${name}`), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  expect(answer.status, `/sandbox/${name} ${JSON.stringify(body)} → ${text}`).toBe(200);
  return JSON.parse(text) as T;
}

/** Broadcasts a payment; the answer is its transaction id. */
export async function pay(address: string, amount: string, currency = 'BTC'): Promise<string> {
  const { txid } = await control<{ txid: string }>('pay', { address, amount, currency });
  return txid;
}

/** Unconfirmed transactions enter the first block. */
export async function mine(blocks = 1, currency = 'BTC'): Promise<void> {
  await control('mine', { blocks, currency });
}

/** Replaces an unconfirmed transaction by one that pays nobody of ours. */
export async function doubleSpend(txid: string): Promise<string> {
  const replaced = await control<{ txid: string }>('replace', { txid });
  return replaced.txid;
}

/** Replaces the last blocks; the dropped transactions do not come back. */
export async function reorganise(depth: number, drop: string[], currency = 'BTC'): Promise<void> {
  await control('reorg', { depth, drop, currency });
}

/** Moves the instance's clock forward; due timers fire before the answer. */
export async function advance(seconds: number): Promise<void> {
  await control('advance', { seconds });
}

/** Moves the clock past the end of a fixed rate. */
export async function letRateExpire(): Promise<void> {
  await advance(15 * 60 + 1);
}

/** Milliseconds the instance clock is ahead of this machine's. */
export async function clockAheadMs(): Promise<number> {
  const answer = await fetch(absolute('/sandbox/state'));
  const { now } = (await answer.json()) as { now: string };
  return Date.parse(now) - Date.now();
}
