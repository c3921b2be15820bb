import { announce } from './support/instance';
import { startServer } from './support/server';

/** Starts the server once for all tests; what it returns stops it. */
export default async function setUp(): Promise<() => Promise<void>> {
  const server = await startServer();
  announce({ baseUrl: server.baseUrl, demo: server.demo });
  return () => server.stop();
}
