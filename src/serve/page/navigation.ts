/** The entries of the page's menu, in order. */
export const navigation: readonly { path: string; name: string }[] = [
  { path: '/', name: 'Blocks' },
  { path: '/firewalls', name: 'Firewalls' },
  { path: '/timeline', name: 'Timeline' },
  { path: '/audit', name: 'Audit' },
  { path: '/observed', name: 'Observed' },
];
