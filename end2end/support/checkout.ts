// The hosted checkout as people see it.

import { expect, type Locator, type Page } from '@playwright/test';

export const SHOP = 'Harbour Coffee Roasters';

/** The one live region. */
export function status(page: Page): Locator {
  return page.getByRole('status');
}

export function heading(page: Page): Locator {
  return page.getByRole('heading', { level: 1 });
}

/** The choice of a coin, by its code. */
export function method(page: Page, code: string): Locator {
  return page.locator(`input[name=method][value="${code}"]`);
}

/** Picks a coin in the page's own form. */
export async function choose(page: Page, code: string): Promise<void> {
  await method(page, code).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(status(page)).toHaveText('Waiting for your payment.');
}

/** The island runs and the event stream is open. */
export async function untilLive(page: Page): Promise<void> {
  await expect(page.locator('.feed')).toContainText('Live');
}

/**
 * Whoever looks at this page presses `Stay here` as soon as it is there: a paid page does not leave while a test
 * looks at it. Before the page is opened.
 */
export async function stay(page: Page): Promise<void> {
  await page.addInitScript(() => {
    new MutationObserver(() => {
      document.querySelectorAll<HTMLElement>('.leaving button').forEach((button) => button.click());
    }).observe(document, { childList: true, subtree: true });
  });
}

/**
 * Marks the document, so that a test can tell that what it sees later was not loaded anew; and notes
 * each text that the live region gets, in order.
 */
export async function noteAnnouncements(page: Page): Promise<void> {
  await page.evaluate(() => {
    const region = document.querySelector('[role=status]');
    if (!region) throw new Error('no live region');
    const heard: string[] = [region.textContent ?? ''];
    (window as unknown as { heard: string[] }).heard = heard;
    new MutationObserver(() => {
      const text = region.textContent ?? '';
      if (heard.at(-1) !== text) heard.push(text);
    }).observe(region, { childList: true, characterData: true, subtree: true });
  });
}

/** What was announced since; fails when the page was loaded anew in between. */
export async function announcements(page: Page): Promise<string[]> {
  const heard = await page.evaluate(() => (window as unknown as { heard?: string[] }).heard);
  if (!heard) throw new Error('the page was loaded anew');
  return heard;
}

/** A decimal with or without trailing zeros, as a part of a pattern: `0.0010` also finds `0.001`. */
export function decimal(amount: string): string {
  const [whole, fraction = ''] = amount.split('.');
  const digits = fraction.replace(/0+$/, '');
  return digits ? `${whole}\\.${digits}0*` : `${whole}(\\.0+)?`;
}

/** The shortest form of a decimal. */
export function shortest(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
}

/** Exact difference or sum of two decimals with at most 8 digits after the point. */
export function subtract(from: string, amount: string): string {
  return text(units(from) - units(amount));
}

export function add(one: string, other: string): string {
  return text(units(one) + units(other));
}

function units(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
}

function text(value: bigint): string {
  const digits = value.toString().padStart(9, '0');
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
}
