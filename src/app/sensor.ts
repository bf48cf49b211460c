import { renderSensor, type SensorWords } from '../intake/sensor.js';
import type { CommandResult } from './result.js';

/** The script for the SIEM's host. It needs no configuration: it may be made on any host. */
export function sensor(words: SensorWords): Promise<CommandResult> {
  const script = renderSensor(words).trimEnd();
  return Promise.resolve({ exit: 0, text: script, json: { script } });
}
