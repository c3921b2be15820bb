// A shop's server: takes webhooks and keeps them as they came.

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const WAIT_MS = 60_000;

export interface Delivery {
  path: string;
  headers: IncomingHttpHeaders;
  /** Byte for byte, because signatures are over bytes. */
  body: Buffer;
}

interface Waiting {
  path: string;
  count: number;
  wake(): void;
}

export class Receiver {
  readonly deliveries: Delivery[] = [];
  /** What the next deliveries are answered with. */
  status = 200;
  private waiting: Waiting[] = [];

  private constructor(
    private readonly server: Server,
    private readonly origin: string,
  ) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(server, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.writeHead(receiver.status, { 'content-type': 'text/plain' }).end('noted');
        receiver.take({
          path: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(parts),
        });
      });
    });
    return receiver;
  }

  /** An address of this shop. */
  url(path: string): string {
    return this.origin + path;
  }

  /** All deliveries to a path, once there are that many. */
  async atLeast(count: number, path: string): Promise<Delivery[]> {
    if (this.of(path).length < count) {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error(`${this.of(path).length} of ${count} webhooks came to ${path}`));
        }, WAIT_MS);
        const wake = () => {
          clearTimeout(late);
          resolve();
        };
        this.waiting.push({ path, count, wake });
      });
    }
    return this.of(path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private of(path: string): Delivery[] {
    return this.deliveries.filter((delivery) => delivery.path === path);
  }

  private take(delivery: Delivery): void {
    this.deliveries.push(delivery);
    this.waiting = this.waiting.filter(({ path, count, wake }) => {
      if (this.of(path).length < count) return true;
      wake();
      return false;
    });
  }
}
