// Reading the merchant's pages.

import { expect, type Locator, type Page } from '@playwright/test';

/** The exact figure behind a formatted one. */
export async function figure(within: Locator): Promise<string> {
  return (await within.locator('data').first().getAttribute('value')) ?? '';
}

/** Figure beside a name in a list of facts. */
export async function fact(page: Page, name: string): Promise<string> {
  const named = page.locator('dl > div').filter({ has: page.locator('dt').getByText(name, { exact: true }) });
  return figure(named.first());
}

/** The row of a table that names something. */
export function row(page: Page, text: string): Locator {
  return page.getByRole('row').filter({ hasText: text });
}

/** The cell of a row in a named column. */
export function cell(within: Locator, column: string): Locator {
  return within.locator(`[data-label="${column}"]`);
}

/** Path of the wallet in a currency. */
export async function walletPath(page: Page, code: string): Promise<string> {
  await page.goto('/app/wallets');
  const wallet = page.getByRole('row').filter({
    has: page.getByRole('cell', { name: code, exact: true }),
  });
  return (await wallet.first().getByRole('link').getAttribute('href')) ?? '';
}

/** Links with the order ids of the list, in its order. */
export function listed(page: Page): Locator {
  return page.locator('tbody th a.id');
}

/** Order ids of the list as it is now: for a page that was loaded to its end. */
export async function listedIds(page: Page): Promise<string[]> {
  return listed(page).allInnerTexts();
}

/** Rows of a CSV text; quoted cells may hold commas and line ends (RFC 4180). */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const cells = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|$)/y;
  while (cells.lastIndex < text.length) {
    const [, cell = '', end = ''] = cells.exec(text) ?? [];
    rows.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === '\r\n') rows.push([]);
    expect(end, 'every cell ends in a comma or CRLF').not.toBe('');
  }
  rows.pop();
  return rows;
}
