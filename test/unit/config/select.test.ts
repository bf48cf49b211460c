import { expect } from 'chai';
import { selectFirewalls } from '#firebreak/config/select.js';
import { aConfig } from '../../fixtures.js';

const firewalls = {
  edge: { host: '192.0.2.1', tags: ['dmz', 'north'] },
  depot: { host: '192.0.2.2', tags: ['dmz'] },
  office: { host: '192.0.2.3' },
};

describe('--firewall', () => {
  const select = (...names: string[]) => selectFirewalls(aConfig({ firewalls }), names).map(([name]) => name);

  it('names firewalls, or those with a tag, each once', () => {
    expect(select()).to.deep.equal(['edge', 'depot', 'office']);
    expect(select('@dmz')).to.deep.equal(['edge', 'depot']);
    expect(select('@north', 'edge', 'office')).to.deep.equal(['edge', 'office']);
  });

  it('refuses an unknown name or tag, and names the known ones', () => {
    for (const unknown of ['@office', 'dmz']) {
      expect(() => select('edge', unknown)).to.throw(
        `--firewall: expected edge or depot or office or @dmz or @north, got "${unknown}"`,
      );
    }
  });
});
