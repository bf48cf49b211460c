import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { commands } from '#firebreak/cli/program.js';
import { packageRoot } from '../lab/package-root.js';

/** No container engine is needed: these tests read the files. */
describe('the container files', () => {
  const folder = path.join(packageRoot, 'packaging/container');
  const lines = readFileSync(path.join(folder, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const instructions = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const find = (name: string): string[] =>
    instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const stages = find('FROM').map((line) => / AS (\S+)$/.exec(line)?.[1]);

  it('hold only instructions that exist, and base images with a fixed release', () => {
    for (const line of instructions)
      expect(line).to.match(/^(FROM|WORKDIR|COPY|RUN|CMD|USER|VOLUME|STOPSIGNAL|ENTRYPOINT) \S/);
    for (const line of find('FROM')) expect(line).to.match(/^(build|\S+:\d+-\S+) AS \S+$/);
  });

  it('copy only what is there, and call scripts that are there', () => {
    const scripts = find('RUN').flatMap((line) =>
      [...line.matchAll(/sh (scripts\/\S+)/g)].map(([, file]) => file ?? ''),
    );
    expect(scripts).to.not.deep.equal([]);
    for (const file of scripts) expect(existsSync(path.join(packageRoot, file)), file).to.equal(true);
    for (const line of find('COPY')) expect(line).to.match(/^(\. \.|--from=build .+)$/);
  });

  it('end as an account of its own, with a command of firebreak', () => {
    expect(stages.at(-1)).to.equal('firebreak');
    expect(find('USER')).to.deep.equal(['firebreak']);
    expect(find('ENTRYPOINT')).to.deep.equal(['["firebreak"]']);
    const [command] = JSON.parse(find('CMD').at(-1) ?? '[]') as string[];
    expect(Object.keys(commands)).to.include(command);
  });

  it('build the stages that the Dockerfile has, from the root of the repository', () => {
    const { services } = parse(readFileSync(path.join(folder, 'compose.yml'), 'utf8')) as {
      services: Record<string, { build: { context: string; dockerfile: string; target: string } }>;
    };
    for (const { build } of Object.values(services)) {
      expect(path.resolve(folder, build.context)).to.equal(packageRoot);
      expect(existsSync(path.join(packageRoot, build.dockerfile))).to.equal(true);
      expect(stages).to.include(build.target);
    }
  });
});
