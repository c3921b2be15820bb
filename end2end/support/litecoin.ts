// A node of Litecoin on a private network, with a wallet that pays as a customer's would. Only the spec
// that follows a real chain starts one.

import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { freePort } from './ports';

const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 30_000;
const POLL_MS = 100;

/** Rewards of so many blocks; those of all but the last hundred can be spent. 50 each below height 150. */
const FIRST_BLOCKS = 140;
/** Left to whoever mines the other transaction of a double spend, in litoshi. */
const FEE = 100_000;
const COIN = 100_000_000;

interface Input {
  txid: string;
  vout: number;
}

/** Path of the program; undefined where there is none and nobody asked for one. */
export function litecoind(): string | undefined {
  const named = process.env.EXCHEQUER_LITECOIND;
  if (named) return named;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const program = join(folder, 'litecoind');
    if (isExecutable(program)) return program;
  }
  const required = (process.env.EXCHEQUER_REAL_NODES ?? '').split(',');
  if (required.some((name) => name.trim() === 'litecoind')) {
    throw new Error("there is no litecoind: run './x nodes litecoind'");
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export class Litecoin {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** A node with coins to spend. */
  static async start(program: string): Promise<Litecoin> {
    const folder = await mkdtemp(join(tmpdir(), 'exchequer-litecoin-'));
    const port = await freePort();
    const settings = [
      '-regtest',
      `-datadir=${folder}`,
      `-rpcport=${port}`,
      '-listen=0',
      '-connect=0',
      '-dnsseed=0',
      '-printtoconsole=0',
      '-fallbackfee=0.0001',
    ];
    const child = spawn(program, settings, { stdio: 'ignore' });
    const node = new Litecoin(child, folder, port);
    try {
      await node.untilReady();
      await node.call('createwallet', 'customer');
      await node.mine(FIRST_BLOCKS);
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  /** Settings of a server that follows this chain. */
  settings(): Record<string, string> {
    return {
      EXCHEQUER_CHAIN_LTC: 'bitcoin-core',
      EXCHEQUER_CHAIN_LTC_URL: this.url,
      EXCHEQUER_CHAIN_LTC_COOKIE: this.cookie,
      EXCHEQUER_CHAIN_LTC_NETWORK: 'regtest',
    };
  }

  /** Sends coins; answers the id of the transaction. */
  async pay(address: string, amount: string): Promise<string> {
    return this.call<string>('sendtoaddress', address, amount);
  }

  /** Makes blocks of all that waits. */
  async mine(blocks = 1): Promise<void> {
    await this.call('generatetoaddress', blocks, await this.newAddress());
  }

  /**
   * Replaces the last blocks by one more of them, without this transaction: the first has another one that
   * spends what it spends, and pays the customer.
   */
  async doubleSpend(txid: string, depth: number): Promise<void> {
    const height = await this.call<number>('getblockcount');
    const first = await this.call<string>('getblockhash', height + 1 - depth);
    await this.call('invalidateblock', first);
    const rival = await this.rival(txid);
    await this.call('generateblock', await this.newAddress(), [rival]);
    // Empty ones: what waits may not get into a block by chance.
    for (let made = 0; made < depth; made += 1) {
      await this.call('generateblock', await this.newAddress(), []);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      this.child.kill('SIGTERM');
      const late = setTimeout(() => this.child.kill('SIGKILL'), STOPPED_WITHIN_MS);
      await ended;
      clearTimeout(late);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async rival(txid: string): Promise<string> {
    const { hex } = await this.call<{ hex: string }>('gettransaction', txid);
    const { vin } = await this.call<{ vin: Input[] }>('decoderawtransaction', hex);
    const inputs = vin.map(({ txid: of, vout }) => ({ txid: of, vout }));
    let worth = -FEE;
    for (const { txid: of, vout } of inputs) {
      // As the blocks have it: the transaction itself waits again.
      const { value } = await this.call<{ value: number }>('gettxout', of, vout, false);
      worth += Math.round(value * COIN);
    }
    const outputs = [{ [await this.newAddress()]: (worth / COIN).toFixed(8) }];
    const unsigned = await this.call<string>('createrawtransaction', inputs, outputs);
    const signed = await this.call<{ hex: string; complete: boolean }>(
      'signrawtransactionwithwallet',
      unsigned,
    );
    if (!signed.complete) throw new Error('the other transaction cannot be signed');
    return signed.hex;
  }

  /** Another one each time: for the same one a node would make the very blocks it was told to forget. */
  private async newAddress(): Promise<string> {
    return this.call<string>('getnewaddress', '', 'bech32');
  }

  private get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private get cookie(): string {
    return join(this.folder, 'regtest', '.cookie');
  }

  private async call<T = unknown>(method: string, ...params: unknown[]): Promise<T> {
    const secret = Buffer.from(await readFile(this.cookie)).toString('base64');
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: { authorization: `Basic ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '1.0', id: 0, method, params }),
    });
    const { result, error } = (await answer.json()) as { result: T; error: unknown };
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  private async untilReady(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    let last: unknown;
    while (Date.now() < deadline) {
      if (this.child.exitCode !== null) {
        const log = await readFile(join(this.folder, 'regtest', 'debug.log'), 'utf8').catch(() => '');
        throw new Error(`litecoind ended: ${log.slice(-1000)}`);
      }
      try {
        await this.call('getblockcount');
        return;
      } catch (error) {
        last = error;
      }
      await pause(POLL_MS);
    }
    throw new Error(`litecoind did not become ready: ${String(last)}`);
  }
}
