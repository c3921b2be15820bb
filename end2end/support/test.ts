// `test` with what most journeys need. Every page is watched: a script error, a refused resource or a
// request to a third party fails the test that caused it.

import { test as base, expect, type BrowserContext } from '@playwright/test';

import { instance } from './instance';
import { Receiver } from './receiver';

interface Fixtures {
  /** A shop's server for webhooks. */
  receiver: Receiver;
  /** Origins that pages of this test may go to besides the instance's own. */
  allowedOrigins: string[];
  watched: void;
}

export const test = base.extend<Fixtures>({
  baseURL: ({}, use) => use(instance().baseUrl),

  receiver: async ({}, use) => {
    const receiver = await Receiver.start();
    await use(receiver);
    await receiver.stop();
  },

  allowedOrigins: [[], { option: true }],

  watched: [
    async ({ context, allowedOrigins }, use) => {
      const problems = watch(context, [instance().baseUrl, ...allowedOrigins]);
      await use();
      expect(problems, 'the pages of this test ran without problems').toEqual([]);
    },
    { auto: true },
  ],
});

/** Collects what goes wrong in the pages of a context. */
function watch(context: BrowserContext, origins: string[]): string[] {
  const problems: string[] = [];
  context.on('weberror', (error) => problems.push(`script error: ${error.error().message}`));
  context.on('console', (message) => {
    // Answers such as 404 and requests that a test cuts off are the test's own business.
    const ours = message.type() === 'error' && !message.text().startsWith('Failed to load resource');
    if (ours) problems.push(`console: ${message.text()}`);
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    const inside = ['data:', 'blob:', 'about:'].includes(protocol);
    if (!inside && !origins.includes(origin)) problems.push(`third party: ${request.url()}`);
  });
  return problems;
}

export { expect };
