import { expect } from 'chai';
import { findDigestDay } from '#firebreak/core/digest-day.js';

const at = (...[year, month, day, hours, minutes]: [number, number, number, number, number]): number =>
  new Date(year, month - 1, day, hours, minutes).getTime();

describe('findDigestDay', () => {
  it('gives the day that ended this morning, once its time has come', () => {
    const day = { name: '2026-11-25', from: at(2026, 11, 24, 7, 0), to: at(2026, 11, 25, 7, 0) };
    expect(findDigestDay(at(2026, 11, 25, 7, 0), '07:00')).to.deep.equal(day);
    expect(findDigestDay(at(2026, 11, 25, 23, 59), '07:00')).to.deep.equal(day);
    expect(findDigestDay(at(2026, 11, 26, 6, 59), '07:00')).to.deep.equal(day);
  });

  it('leaves no gap between days, whatever the clock of the host does and wherever a month or year ends', () => {
    for (let day = 0; day < 400; day += 1) {
      const now = at(2026, 1, 1 + day, 12, 0);
      const [one, next] = [findDigestDay(now, '02:30'), findDigestDay(at(2026, 1, 2 + day, 12, 0), '02:30')];
      expect(next.from).to.equal(one.to);
      expect(next.name).to.not.equal(one.name);
    }
  });
});
