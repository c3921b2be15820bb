// The Processing API, version 2, as a merchant's program uses it (contract 30). Signed from the
// contract's words, not with the server's code.

import { createHmac, randomUUID } from 'node:crypto';

import { expect } from '@playwright/test';

import { absolute, instance } from './instance';

export interface KeyPair {
  public: string;
  private: string;
}

export interface Address {
  id: number;
  currency: string;
  convert_to: string | null;
  address: string;
  foreign_id: string;
}

export interface Withdrawal {
  id: number;
  foreign_id: string;
  type: 'withdrawal' | 'withdrawal_exchange';
  status: 'processing' | 'pending' | 'confirmed' | 'cancelled';
  amount: string;
  sender_amount: string;
  receiver_amount: string;
}

export interface InvoiceRequest {
  /** The 15 minutes run from creation. */
  timer: boolean;
  title: string;
  description?: string;
  currency: string;
  amount: string;
  /** Fixed at once; only with `timer`. */
  sender_currency?: string;
  foreign_id: string;
  url_success?: string;
  url_failed?: string;
  email_user?: string;
  type?: 'fill_or_kill' | 'good_until_expired';
}

export interface Invoice {
  id: number;
  url: string;
  foreign_id: string;
  title: string;
  status: 'created' | 'pending' | 'processing' | 'confirmed' | 'failed';
  currency: string;
  amount: string;
  address: string | null;
  sender_currency: string | null;
  sender_amount: string | null;
  /** Unix seconds on the instance clock. */
  fixed_at: number | null;
  release_at: number | null;
  seconds_left: number | null;
}

/** 60 euro are 0.001 BTC at test mode's starting rate. */
const INVOICE: Omit<InvoiceRequest, 'foreign_id'> = {
  timer: false,
  title: 'Twelve bags of Yirgacheffe',
  description: 'Delivered to the roastery on Monday.',
  currency: 'EUR',
  amount: '60.00',
};

/** A reference that nothing has yet. */
export function reference(word: string): string {
  return `${word}-${randomUUID().slice(0, 8)}`;
}

/** Lower-case hex HMAC-SHA512 of the body's bytes; the key is the ASCII text as shown. */
export function signature(privateKey: string, body: string): string {
  return createHmac('sha512', privateKey).update(body).digest('hex');
}

/** The pair with every permission. */
function keyPair(): KeyPair {
  return instance().demo.merchant.key_pair;
}

async function call<T>(path: string, request: object): Promise<T> {
  const pair = keyPair();
  const body = JSON.stringify(request);
  const answer = await fetch(absolute(`/api/v2/${path}`), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-processing-key': pair.public,
      'x-processing-signature': signature(pair.private, body),
    },
    body,
  });
  const text = await answer.text();
  expect(answer.ok, `POST /api/v2/${path} → ${answer.status} ${text}`).toBe(true);
  return (JSON.parse(text) as { data: T }).data;
}

export async function takeAddress(
  foreignId: string,
  currency = 'BTC',
  convertTo?: string,
): Promise<Address> {
  return call('addresses/take', { foreign_id: foreignId, currency, convert_to: convertTo });
}

/** Takes coins out of the wallet of their own currency. */
export async function withdraw(
  amount: string,
  address: string,
  foreignId: string,
  currency = 'BTC',
): Promise<Withdrawal> {
  return call('withdrawal/crypto', { foreign_id: foreignId, amount, currency, address });
}

/** At whatever the rate is; the answer is the operation's number. */
export async function exchangeNow(amount: string, from: string, to: string): Promise<number> {
  const { id } = await call<{ id: number }>('exchange/now', {
    sender_amount: amount,
    sender_currency: from,
    receiver_currency: to,
    foreign_id: reference('now'),
  });
  return id;
}

/** Operations with a reference of their own, or of their deposit address; newest first. */
export async function operations(
  foreignId: string,
): Promise<{ id: number; type: string; status: string }[]> {
  return call('transactions/list', { foreign_id: foreignId });
}

export async function createInvoice(changes: Partial<InvoiceRequest> = {}): Promise<Invoice> {
  return call('invoices/create', { ...INVOICE, foreign_id: reference('invoice'), ...changes });
}

export async function getInvoice(id: number): Promise<Invoice> {
  return call('invoices/get', { id });
}
