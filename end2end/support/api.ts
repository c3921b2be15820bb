// The Orders API as a shop uses it (contract 10).

import { expect } from '@playwright/test';

import { absolute, instance } from './instance';

export interface OrderRequest {
  amount: number | string;
  currency: string;
  redirect_url: string;
  webhook_url?: string;
  customer_details: {
    name: string;
    surname: string;
    email: string;
    phone: string;
    address_line1?: string;
    city?: string;
    postal_code?: string;
    country?: string;
  };
  items?: { name: string; price: number | string; quantity: number }[];
  user_id?: number;
  metadata?: Record<string, unknown>;
}

export interface Created {
  public_order_id: string;
  status: string;
  checkout_url: string;
}

export interface Payment {
  method: string;
  currency: string;
  amount: string;
  address: string;
  tag: string | null;
  uri: string;
  rate: string;
  fixed_at: string;
  release_at: string;
}

export interface Order {
  public_order_id: string;
  status: string;
  flags: string[];
  resolution: string;
  amount: string;
  currency: string;
  amount_received: string;
  amount_due: string;
  payment: Payment | null;
  receipts: { txid: string; currency: string; amount: string; confirmations: number; final: boolean }[];
  checkout_url: string;
}

/** The request of the developer portal's example, but for its webhook address. */
export const EXAMPLE: OrderRequest = {
  amount: 149.98,
  currency: 'USD',
  redirect_url: 'https://example.com/success',
  customer_details: {
    name: 'Inga',
    surname: 'Berzina',
    email: 'inga@inbox.lv',
    phone: '+3712000000',
  },
  items: [{ name: 'Wallet Kit', price: 99.99, quantity: 1 }],
};

/** 60 euro are 0.001 BTC and 12 000 euro 0.2 BTC at test mode's starting rate. */
export function euros(amount: string, changes: Partial<OrderRequest> = {}): OrderRequest {
  return { ...EXAMPLE, amount, currency: 'EUR', ...changes };
}

type Json = Record<string, unknown>;

async function call<T>(method: string, path: string, key: string, body?: object): Promise<T> {
  const answer = await fetch(absolute(path), {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  expect(answer.ok, `${method} ${path} → ${answer.status} ${text}`).toBe(true);
  return JSON.parse(text) as T;
}

export async function createOrder(
  request: OrderRequest = EXAMPLE,
  key = instance().demo.merchant.ex_pk,
): Promise<Created> {
  const created = await call<Created>('POST', '/api/orders', key, request);
  expect(created.public_order_id).toMatch(/^EX-[A-Z2-7]{10}$/);
  return created;
}

export async function getOrder(id: string, key = instance().demo.merchant.ex_pk): Promise<Order> {
  return call<Order>('GET', `/api/orders/${id}`, key);
}

/** What happened to the order, oldest first. */
export async function getTimeline(id: string): Promise<{ at: string; kind: string }[]> {
  return call('GET', `/api/orders/${id}/timeline`, instance().demo.merchant.ex_pk);
}

/** The order with its method fixed. */
export async function getPayment(id: string): Promise<Payment> {
  const { payment } = await getOrder(id);
  if (!payment) throw new Error(`${id} has no method yet`);
  return payment;
}

export async function cancelOrder(id: string): Promise<Order> {
  return call<Order>('POST', `/api/orders/${id}/cancel`, instance().demo.merchant.ex_pk);
}

/** A wallet of one of the shop's own users; `200` and `201` alike. */
export async function createWallet(userId: number, currency: string): Promise<Json> {
  const body = { user_id: userId, currency };
  return call<Json>('POST', '/api/wallets', instance().demo.merchant.ex_pk, body);
}

/** Fixes the method as a customer without scripts would (contract 80, Charges). */
export async function chooseMethod(checkoutUrl: string, method = 'BTC'): Promise<void> {
  await postForm(checkoutUrl, { method });
}

export async function postForm(url: string, fields: Record<string, string>): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  expect(answer.status, `a form answers 303: ${url}`).toBe(303);
  return answer;
}

/** A new order with its method fixed, and how to pay it. */
export async function payableOrder(
  request: OrderRequest,
  method = 'BTC',
): Promise<{ id: string; url: string; payment: Payment }> {
  const created = await createOrder(request);
  await chooseMethod(created.checkout_url, method);
  const payment = await getPayment(created.public_order_id);
  return { id: created.public_order_id, url: created.checkout_url, payment };
}
