import { addBlocks } from './001-blocks.js';
import { addOutbox } from './002-outbox.js';
import { addOutcomes } from './003-outcomes.js';
import { addFirewallAddresses } from './004-firewall-addresses.js';
import { addFeeds } from './005-feeds.js';
import { addLearnedFacts } from './006-learned-facts.js';
import { addChores } from './007-chores.js';
import { addComment } from './008-comment.js';
import { addProof } from './009-proof.js';
import { addFirewallFacts } from './010-firewall-facts.js';
import { addAllowances } from './011-allowances.js';
import { addFlatCosts } from './012-flat-costs.js';
import { addObserve } from './013-observe.js';
import { addTokens } from './014-tokens.js';
import { addTags } from './015-tags.js';
import { addPeople } from './016-people.js';
import { addPageLists } from './017-page-lists.js';
import { addDecisionLinks } from './018-decision-links.js';
import { addExpiryNotice } from './019-expiry-notice.js';
import { addPackets } from './020-packets.js';

/**
 * The schema, one file per step: step N migrates a ledger from version N-1 to version N. A released step never
 * changes.
 */
export const migrations: readonly string[] = [
  addBlocks,
  addOutbox,
  addOutcomes,
  addFirewallAddresses,
  addFeeds,
  addLearnedFacts,
  addChores,
  addComment,
  addProof,
  addFirewallFacts,
  addAllowances,
  addFlatCosts,
  addObserve,
  addTokens,
  addTags,
  addPeople,
  addPageLists,
  addDecisionLinks,
  addExpiryNotice,
  addPackets,
];
