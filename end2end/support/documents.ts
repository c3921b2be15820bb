// Files as other people's programs read them.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Text of a PDF, as poppler extracts it. */
export async function pdfText(pdf: Uint8Array): Promise<string> {
  return withFile('document.pdf', pdf, async (path) => {
    const { stdout } = await run('pdftotext', ['-layout', path, '-']);
    return stdout;
  });
}

/** What a scanner reads in a picture. Fails when there is not exactly one code. */
export async function readQr(png: Uint8Array): Promise<string> {
  return withFile('code.png', png, async (path) => {
    const { stdout } = await run('zbarimg', ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', path]);
    const codes = stdout.trimEnd().split('\n');
    if (codes.length !== 1) throw new Error(`${codes.length} codes in one picture`);
    return codes[0] ?? '';
  });
}

async function withFile<T>(
  name: string,
  bytes: Uint8Array,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'exchequer-e2e-file-'));
  try {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
