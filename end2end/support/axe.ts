import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const THEMES = ['light', 'dark'] as const;
export const WIDTHS = [360, 1280] as const;

/** Asserts the bars of ux §3 for the page as it stands: axe, one `h1`, no sideways scrolling. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  const { passes, violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target}: ${failureSummary}`),
  );
  expect.soft(found, `axe finds nothing: ${what}`).toEqual([]);
  expect.soft(passes.length, `axe looked: ${what}`).toBeGreaterThan(10);
  expect.soft(await page.locator('h1').count(), `one h1: ${what}`).toBe(1);
  await expectNoSidewaysScrolling(page, what);
}

/** Opens a path in both themes at both widths and asserts the same bars for each. */
export async function expectAccessibleEverywhere(page: Page, path: string): Promise<void> {
  for (const colorScheme of THEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.goto(path);
      await expectAccessible(page, `${path} ${colorScheme} ${width}`);
    }
  }
}

export async function expectNoSidewaysScrolling(page: Page, what: string): Promise<void> {
  const excess = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  expect.soft(excess, `pixels beyond the side: ${what}`).toBeLessThanOrEqual(0);
}
