import { expect } from 'chai';
import { toSyslogLine, type OutcomeToSend } from '#firebreak/notify/syslog/syslog-line.js';
import { parseTarget } from '#firebreak/notify/syslog/syslog-socket.js';
import { aBlock } from '../../fixtures.js';

const outcome: OutcomeToSend = {
  at: 1_760_000_000_123,
  kind: 'proven',
  ms: 1412,
  code: null,
  reason: null,
  event: 'e-1',
  block: aBlock(),
};
const origin = { facility: 'local0', host: 'siem', pid: 42 } as const;

describe("a syslog's line", () => {
  it('is one of RFC 5424, with structured data and a sentence', () => {
    expect(toSyslogLine(outcome, origin)).to.equal(
      '<133>1 2025-10-09T08:53:20.123Z siem firebreak 42 PROVEN [firebreak@32473 outcome="proven" firewall="edge" ' +
        'src="203.0.113.7" dst="192.168.1.10" dport="22" proto="tcp" interface="wan" type="block" ' +
        'tracker="2000000001" block="01BLOCK" event="e-1" code="" ms="1412"] ' +
        'edge: blocked and proven: 203.0.113.7 -> 192.168.1.10 tcp/22 on wan',
    );
  });

  it('says of a rule that does not stop its packets, or is not proven to, what is known', () => {
    const bypassed = toSyslogLine(
      { ...outcome, kind: 'bypassed', code: 'shadowed', reason: 'a rule passes it' },
      origin,
    );
    expect(bypassed).to.match(/^<131>1 .* BYPASSED \[.*outcome="bypassed" .*code="shadowed"/);
    expect(bypassed).to.match(/edge: NOT stopped, though the rule stands: 203\.0\.113\.7 .*: a rule passes it$/);
    const listed = toSyslogLine({ ...outcome, code: 'listed', reason: 'not told' }, origin);
    expect(listed).to.match(/ PROVEN .*edge: blocked, not proven to decide: 203\.0\.113\.7 .*: not told$/);
  });

  it('has its facility and the severity of the outcome', () => {
    const priority = (kind: OutcomeToSend['kind'], facility: 'local7' | 'authpriv') =>
      toSyslogLine({ ...outcome, kind }, { ...origin, facility }).slice(0, 6);
    expect([priority('failed', 'local7'), priority('released', 'authpriv')]).to.deep.equal(['<187>1', '<86>1 ']);
  });

  it('stays one line, one element and ASCII, whatever it contains', () => {
    const evil = 'x"] <0>1 \\]\r\n<14>1 - root su - - [a b="c"]\u2028\u0000\u202e';
    const line = toSyslogLine(
      { ...outcome, kind: 'failed', reason: evil, event: evil, code: evil },
      { ...origin, host: 'a host\n<0>' },
    );
    expect(line).to.match(/^[\x20-\x7e]+$/);
    expect(line).to.match(
      /^<131>1 \S+ a_host_<0> firebreak 42 FAILED \[firebreak@32473 (?:[a-z]+="(?:[^"\\\]]|\\["\\\]])*" ?)+\] edge: NOT/,
    );
    expect(line).to.include('event="x\\"\\] <0>1 \\\\\\]??<14>1 ');
  });

  it('goes to the configured target', () => {
    expect(
      ['udp://192.0.2.30', 'tcp://siem:601', 'udp://[2001:db8::1]:5514', 'unix:/run/log'].map(parseTarget),
    ).to.deep.equal([
      { kind: 'udp', host: '192.0.2.30', port: 514 },
      { kind: 'tcp', host: 'siem', port: 601 },
      { kind: 'udp', host: '2001:db8::1', port: 5514 },
      { kind: 'unix', path: '/run/log' },
    ]);
  });
});
