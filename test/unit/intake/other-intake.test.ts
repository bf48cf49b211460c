import { expect } from 'chai';
import { admit } from '#firebreak/app/admit.js';
import { FirebreakError } from '#firebreak/core/errors.js';
import { parseAlarm, type AlarmRequest } from '#firebreak/intake/alarm.js';
import { toAlarmRequest } from '#firebreak/intake/fields.js';
import { aConfig, aFlow } from '../../fixtures.js';

/** An intake of a throw-away kind: one line of CEF. It knows its own format and the table of fields, nothing else. */
function parseCef(line: string): AlarmRequest {
  const extension = new Map([...line.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
  return toAlarmRequest({
    source: extension.get('src'),
    destination: extension.get('dst'),
    port: extension.get('dpt'),
    'event-id': extension.get('externalId'),
  });
}

const cef = (extension: string): string => `CEF:0|Vendor|IDS|1.0|100|failed logins|7|${extension}`;

describe('an intake that is only in a test', () => {
  const config = aConfig();
  const admitted = (line: string) => admit(parseAlarm(parseCef(line), config), { firewalls: [] }, config);

  it('makes an alarm that is admitted like any other, with its context', () => {
    const line = cef('src=203.0.113.7 dst=192.168.1.10 dpt=22 externalId=e-1');
    expect(admitted(line)[0]).to.deep.include({ firewall: 'edge', flow: aFlow(), refusal: undefined });
    expect(parseAlarm(parseCef(line), config).context).to.deep.equal({ 'event-id': 'e-1' });
  });

  it('has its alarm checked and refused by the same rules', () => {
    expect(() => admitted(cef('src=nobody dst=192.168.1.10 dpt=22'))).to.throw(FirebreakError, /^source: expected/);
    expect(admitted(cef('src=127.0.0.1 dst=192.168.1.10 dpt=22'))[0]?.refusal).to.match(/loopback/);
  });
});
