import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { DemoSet } from './instance';
import { freePort } from './ports';

/** The first start makes a database cluster. */
const READY_WITHIN_MS = 120_000;
/** Requests in flight, workers and the database each get their grace. */
const STOPPED_WITHIN_MS = 60_000;
const POLL_MS = 100;
/** Lines of the log that are shown after a crash. */
const LAST_LINES = 20;

export interface Server {
  baseUrl: string;
  demo: DemoSet;
  stop(): Promise<void>;
}

/**
 * A server on a free port with a new data folder and its own private Postgres; everything is as it is
 * without settings, but for those given here. Of the errors it logs, those a test brings about on purpose
 * may be named.
 */
export async function startServer(
  chosen: Record<string, string> = {},
  intended?: RegExp,
): Promise<Server> {
  const program = process.env.EXCHEQUER_BIN;
  if (!program) throw new Error('EXCHEQUER_BIN must name the server program; ./x e2e sets it');
  await access(program);

  const folder = await mkdtemp(join(tmpdir(), 'exchequer-e2e-'));
  // Postgres refuses root: another user runs it and has to reach what lies inside.
  await chmod(folder, 0o711);
  const listen = `127.0.0.1:${await freePort()}`;
  const environment = { ...settings(folder, listen), ...chosen };
  const log = join(folder, 'server.log');
  const child = run(program, environment, log);
  const baseUrl = `http://${listen}`;
  try {
    await untilReady(baseUrl, child);
    const demo = await demoSet(program, environment);
    if (demo.base_url !== baseUrl) {
      throw new Error(`the demo set names ${demo.base_url}, the server is at ${baseUrl}`);
    }
    const stop = async () => {
      const audited = await audit(program, environment);
      await stopServer(child, folder, log, intended);
      if (!audited.startsWith('The books are in order.')) throw new Error(audited);
    };
    return { baseUrl, demo, stop };
  } catch (error) {
    console.error(await readFile(log, 'utf8').catch(() => ''));
    await end(child).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function settings(folder: string, listen: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => name !== 'DATABASE_URL' && !name.startsWith('EXCHEQUER_'),
  );
  return {
    ...Object.fromEntries(kept),
    EXCHEQUER_LISTEN: listen,
    EXCHEQUER_DATA_DIR: join(folder, 'data'),
    EXCHEQUER_LOG: 'info',
    EXCHEQUER_LOG_FORMAT: 'json',
    ...given('EXCHEQUER_SITE_ROOT'),
    ...given('EXCHEQUER_PG_BIN'),
  };
}

function given(name: string): NodeJS.ProcessEnv {
  const value = process.env[name];
  return value ? { [name]: value } : {};
}

function run(program: string, environment: NodeJS.ProcessEnv, log: string): ChildProcess {
  const output = createWriteStream(log);
  const child = spawn(program, ['serve'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  return child;
}

async function untilReady(baseUrl: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    const answer = await fetch(`${baseUrl}/health/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await pause(POLL_MS);
  }
  throw new Error('the server did not become ready');
}

async function demoSet(program: string, environment: NodeJS.ProcessEnv): Promise<DemoSet> {
  const { stdout } = await promisify(execFile)(program, ['demo', '--json'], { env: environment });
  return JSON.parse(stdout) as DemoSet;
}

/** Whatever the tests did, every amount must still be accounted for. */
async function audit(program: string, environment: NodeJS.ProcessEnv): Promise<string> {
  try {
    return (await promisify(execFile)(program, ['audit'], { env: environment })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `the audit failed: ${stdout}${stderr}`;
  }
}

/** An orderly end is part of what is tested, and so is a run without errors of the server's own. */
async function stopServer(
  child: ChildProcess,
  folder: string,
  log: string,
  intended?: RegExp,
): Promise<void> {
  const crashed = child.exitCode !== null || child.signalCode !== null;
  const code = await end(child);
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
  const errors = lines.filter((line) => isError(line) && !intended?.test(line));
  await rm(folder, { recursive: true, force: true });
  if (crashed) {
    const last = lines.slice(-LAST_LINES).join('\n');
    throw new Error(`the server had ended before it was asked to, with code ${code}:\n${last}`);
  }
  if (code !== 0) throw new Error(`the server ended with code ${code} after SIGTERM`);
  if (errors.length > 0) throw new Error(`the server logged errors:\n${errors.join('\n')}`);
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await ended;
  clearTimeout(late);
  return child.exitCode;
}

function isError(line: string): boolean {
  if (line.includes('panicked at')) return true;
  try {
    return (JSON.parse(line) as { level?: string }).level === 'ERROR';
  } catch {
    return false;
  }
}
