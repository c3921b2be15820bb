// Signing in. Sign-ins are limited to ten a minute, so the cookie of an earlier one is used as long as
// it is good.

import { setTimeout as pause } from 'node:timers/promises';

import { expect, type Page } from '@playwright/test';

import { absolute, instance, type DemoUser } from './instance';

const sessions = new Map<string, string>();

/** Puts a session of the user into the page's context. */
export async function signIn(
  page: Page,
  user: DemoUser = instance().demo.merchant,
): Promise<void> {
  const cookie = await sessionCookie(user);
  const [name = '', value = ''] = cookie.split('=');
  await page.context().addCookies([
    { name, value, url: instance().baseUrl, httpOnly: true, sameSite: 'Lax' },
  ]);
}

/** The session was signed out, or its clock moved: the next test signs in anew. */
export function forget(user: DemoUser = instance().demo.merchant): void {
  sessions.delete(user.email);
}

/** `name=value` of the user's session cookie, for plain requests. */
export async function sessionCookie(user: DemoUser = instance().demo.merchant): Promise<string> {
  const known = sessions.get(user.email);
  const cookie = known && (await isGood(known)) ? known : await newSession(user);
  sessions.set(user.email, cookie);
  return cookie;
}

async function postSignIn({ email, password }: DemoUser): Promise<Response> {
  const answer = await fetch(absolute('/sign-in'), {
    method: 'POST',
    body: new URLSearchParams({ email, password, next: '/app' }),
    redirect: 'manual',
  });
  await answer.arrayBuffer();
  return answer;
}

/** Asks for a page that there is not, which costs least: only who is signed out is sent elsewhere. */
async function isGood(cookie: string): Promise<boolean> {
  const answer = await fetch(absolute('/app/charges/x'), { headers: { cookie }, redirect: 'manual' });
  await answer.arrayBuffer();
  return answer.status !== 303;
}

async function newSession(user: DemoUser): Promise<string> {
  const answer = await postSignIn(user);
  if (answer.status === 429) {
    // A run with failures signs in more often than is allowed; the answer says how long to wait.
    await pause(1000 * Number(answer.headers.get('retry-after')));
    return newSession(user);
  }
  expect(answer.status, 'signing in').toBe(303);
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0];
  if (!cookie) throw new Error('signing in gave no cookie');
  return cookie;
}
