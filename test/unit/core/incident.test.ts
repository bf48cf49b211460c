import { expect } from 'chai';
import { diffIncidents, groupCauses, type Incident } from '#firebreak/core/incident.js';
import { aBlock } from '../../fixtures.js';

const hour = 3_600_000;
const away = aBlock({ failure: 'unreachable', failureCode: 'unreachable', failingSince: 5 });

describe('groupCauses', () => {
  it('gives one cause for all blocks of it, with the earliest beginning; what was given up is one of its own', () => {
    const givenUp = { ...away, state: 'failed', failingSince: 1 } as const;
    expect([...groupCauses([away, { ...away, failingSince: 3 }, givenUp])]).to.deep.equal([
      ['unreachable', { beganAt: 3 }],
      ['given_up', { beganAt: 1 }],
    ]);
  });
});

describe('diffIncidents', () => {
  it('tells a cause that lasts for three days at once, then after 1, 4, 12 and each further 24 hours', () => {
    const causes = groupCauses([away]);
    const told: number[] = [];
    let incidents: Incident[] = [];
    for (let at = 0; at <= 72; at += 1) {
      const news = diffIncidents(at * hour, causes, incidents);
      expect(news.resolved).to.deep.equal([]);
      for (const { cause, beganAt } of news.due) {
        told.push(at);
        incidents = [{ cause, beganAt, told: told.length, toldAt: at * hour }];
      }
    }
    expect(told).to.deep.equal([0, 1, 5, 17, 41, 65]);
    expect(incidents[0]?.beganAt).to.equal(5);
  });

  it('tells what is over, and leaves another cause alone', () => {
    const known = (cause: string): Incident => ({ cause, beganAt: 0, told: 1, toldAt: 0 });
    const news = diffIncidents(1, groupCauses([away]), [known('unreachable'), known('load_refused')]);
    expect(news).to.deep.equal({ due: [], resolved: [known('load_refused')] });
  });
});
