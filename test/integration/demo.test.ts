import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { findCodeBlocks } from '../lab/documents.js';
import { packageRoot } from '../lab/package-root.js';

interface Demo {
  readonly code: number | null;
  readonly shown: string;
}

/** Runs the built demo; `onShown` sees what it has shown so far, and may send it a signal. */
function runDemo(
  onShown: (shown: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
  options: readonly string[] = [],
): Promise<Demo> {
  const child = spawn(process.execPath, [path.join(packageRoot, 'build/test/lab/demo.js'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    onShown(shown, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, shown }));
  });
}

/** The list of blocks, as one sees it who has logged in. */
async function readList(url: string, form: { name: string; password: string }): Promise<string> {
  const login = await fetch(`${url}/login`, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  return (await fetch(`${url}/`, { headers: { cookie } })).text();
}

/** Times, ids and folders differ from run to run, and a longer folder makes a command break elsewhere. */
function mask(text: string): string {
  return text
    .replace(/\d+\.\d s( {2,})?/g, (_, gap?: string) => (gap === undefined ? 'N s' : 'N s  ')) // a column's width
    .replace(/id \w{6}, (ends|extended to) \w+ [\d:]+/g, 'id ID, $1 END')
    .replace(/\/[\w/-]*fbd-\w{6}/g, 'FOLDER')
    .replace(/ \\\n +/g, ' ');
}

describe('the demo', function () {
  this.timeout(180_000);

  const isLeft = (): boolean => readdirSync(tmpdir()).some((name) => name.startsWith('fbd-'));

  it('ends with every claim so, fits 80 columns, has no colours in a file, and leaves nothing', async () => {
    const { code, shown } = await runDemo();
    expect(shown).not.to.include('✗');
    expect(shown).to.include('✓ 1 rule    in pf after 2 alarms, and 1 in config.xml');
    expect(shown).not.to.include('\x1b');
    expect(shown.split('\n').filter((line) => line.length > 80)).to.deep.equal([]);
    expect(code).to.equal(0);
    expect(isLeft()).to.equal(false);

    // The README shows what an account with a password of its own makes of it.
    if (!shown.includes('sshpass -f')) return;
    const [excerpt] = findCodeBlocks('README.md').filter(({ text }) => text.includes('2 The call'));
    const lines = new Set(mask(shown).split('\n'));
    const unknown = mask(excerpt?.text ?? 'no excerpt')
      .split('\n')
      .filter((line) => !lines.has(line));
    expect(unknown).to.deep.equal([]);
  });

  it('shows the page with --page, where its account logs in, until Ctrl-C', async () => {
    const asked: Promise<string>[] = [];
    const { code, shown } = await runDemo(
      (text, kill) => {
        const [, url, name = '', password = ''] =
          / (http:\S+) - log in as (\w+) with the password (\w+)/.exec(text) ?? [];
        if (url === undefined || !text.includes('An alarm comes in') || asked.length > 0) return;
        asked.push(readList(url, { name, password }).finally(() => kill('SIGINT')));
      },
      ['--page'],
    );
    const [list = ''] = await Promise.all(asked);
    expect(list).to.include('203.0.113.7').and.include('held for approval').and.include('depot');
    expect(shown.split('\n').filter((line) => line.length > 80)).to.deep.equal([]);
    expect({ code, isTold: shown.includes('Everything has been taken away again.') }).to.deep.equal({
      code: 0,
      isTold: true,
    });
    expect(isLeft()).to.equal(false);
  });

  it('takes everything away again on Ctrl-C in the middle of a run', async () => {
    let isSent = false;
    const { code, shown } = await runDemo((text, kill) => {
      if (isSent || !text.includes('firebreak block')) return;
      isSent = true;
      kill('SIGINT');
    });
    expect(code).to.equal(130);
    expect(shown).to.include('Stopped; everything has been taken away again.');
    expect(isLeft()).to.equal(false);
  });
});
