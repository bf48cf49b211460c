import { expect } from 'chai';
import { block } from '#firebreak/cli/commands/block.js';
import { importList } from '#firebreak/cli/commands/import.js';
import type { Command } from '#firebreak/cli/command.js';
import { readBlockArguments } from '#firebreak/intake/argv.js';
import { alarmFields } from '#firebreak/intake/fields.js';
import { parseGatewayCommand } from '#firebreak/intake/gateway.js';
import { parseListFile } from '#firebreak/intake/list-file.js';
import { renderSensor } from '#firebreak/intake/sensor.js';

const options = alarmFields.map(({ option }) => option);

/** The options that a command defines. */
function optionsOf({ options: define }: Command): string[] {
  const found: string[] = [];
  const recorder = {
    positional: () => recorder,
    option: (name: string) => (found.push(name), recorder),
    options: (all: object) => (found.push(...Object.keys(all)), recorder),
  };
  define(recorder as never); // what the commands use of yargs is there
  return found;
}

describe('the table of an alarm’s fields', () => {
  it('gives block its options, and import those of entries that leave a field out', () => {
    expect(optionsOf(block)).to.include.members(options);
    const defaults = alarmFields.filter(({ isListDefault }) => isListDefault).map(({ option }) => option);
    expect(optionsOf(importList)).to.include.members(defaults);
  });

  for (const { name, option, isContext, isRepeatable } of alarmFields) {
    it(`${name}: the gateway takes --${option}, and the request has it`, () => {
      const words = ['203.0.113.7', '192.168.1.10', '22'];
      const positions = ['src-ip', 'dst-ip', 'dst-port'].flatMap((each, at) =>
        each === option ? [] : `--${each}=${words[at]}`,
      );
      const { argv } = parseGatewayCommand(`firebreak block ${positions.join(' ')} --${option}=value-1`);
      const request = readBlockArguments(argv);
      const given = isContext ? request.context[name] : request[name as 'source'];
      expect(given).to.deep.equal(isRepeatable ? ['value-1'] : 'value-1');
    });
  }

  it('gives lists their columns', () => {
    for (const { name, columns = [] } of alarmFields)
      for (const column of columns) {
        const text = name === 'source' ? `${column},other\n198.51.100.9,x` : `src_ip,${column}\n203.0.113.9,198`;
        const { fields } = parseListFile(text).entries[0]!;
        expect(fields[name], column).to.match(/^198/);
      }
  });

  it('gives the sensor script the options that it passes on', () => {
    const words = {
      ...{ host: 'fb', user: 'siem', port: '22', keyFile: '/k', passwordFile: undefined, knownHostsFile: '/h' },
      ...{ command: 'firebreak block', script: '/s', spool: '/p', most: '1', days: '1' },
      ...{ connectSeconds: '1', totalSeconds: '1', check: false },
    };
    const cases = [...renderSensor(words).matchAll(/^ {4}([a-z-]+(?: \| [a-z-]+)*)\)/gm)].flatMap(([, names = '']) =>
      names.split(' | '),
    );
    expect(cases).to.include.members(options);
  });
});
