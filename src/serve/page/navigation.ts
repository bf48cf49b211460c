/** The entries of the page's menu, in order. */
export const navigation: readonly { path: string; name: string }[] = [{ path: '/', name: 'Blocks' }];
